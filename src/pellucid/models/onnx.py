"""Networks in ONNX files, asked by onnxruntime."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
from torch import nn

from pellucid import limits
from pellucid.errors import ConfigError, WeightsError
from pellucid.extras import extra
from pellucid.intake import Intake, with_intake
from pellucid.models.black_box import BlackBox
from pellucid.models.input_layer import Normalize, sequence

Shape = tuple[int, int, int]
_TYPES = {"tensor(float)": numpy.float32, "tensor(float16)": numpy.float16, "tensor(double)": numpy.float64}


def onnx_network(
    path: str | Path,
    *,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    probabilities: bool = False,
) -> nn.Module:
    """The network in an ONNX file, which answers and has no gradients; it takes images in [0, 1].

    `mean` and `std` of each channel are put in front of one that wants normalized images. One whose answers are
    `probabilities` says so, and their logarithms are the logits. Channels may come first or last. It says the
    shape of images as far as the file does.
    """
    runtime = extra("onnxruntime", str(path), "onnx")
    content = limits.read(Path(path))
    try:
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # as many kinds as there are ways to be wrong
        raise WeightsError(f"{path} is no ONNX network that onnxruntime can read: {_first_line(error)}") from error
    box, shape = _asked(session, str(path), probabilities, hashlib.sha256(content).hexdigest()[:16])
    network = sequence({"normalize": Normalize(mean, std), "network": box}).eval()
    return with_intake(network, Intake(shape))


def _asked(session: Any, path: str, probabilities: bool, digest: str) -> tuple[BlackBox, Shape | None]:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type not in _TYPES:
        taken = ", ".join(f"{one.name} {one.type} {one.shape}" for one in inputs)
        raise ConfigError(f"{path} takes {taken or 'nothing'}; a network here takes one batch of images in numbers")
    first, kind = inputs[0], _TYPES[inputs[0].type]
    last = first.shape[3] in (1, 3) and first.shape[1] not in (1, 3)
    fixed = first.shape[0] if isinstance(first.shape[0], int) else None

    def answer(images: Any) -> Any:
        given = images.astype(kind)
        given = numpy.ascontiguousarray(given.transpose(0, 2, 3, 1)) if last else given
        missing = 0 if fixed is None else fixed - len(given)
        if missing:  # a network that takes just so many gets the last one again
            given = numpy.concatenate([given, given[-1:].repeat(missing, 0)])
        (scores,) = session.run([outputs[0].name], {first.name: given})
        return scores[: len(images)].astype(numpy.float32)

    sides = [first.shape[number] for number in ((3, 1, 2) if last else (1, 2, 3))]
    shape = (sides[0], sides[1], sides[2]) if all(isinstance(side, int) for side in sides) else None
    return BlackBox(answer, probabilities=probabilities, batch=fixed, identity=f"ONNX {digest}"), shape


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
