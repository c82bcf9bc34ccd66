"""The four networks published with Adversarial Explanations (Woods et al., 2019), under our names for their parts.

Their files number the parts of `preact-resnet44`, keep mean and deviation in one tensor, and have a scalar beside
each Half-Huber activation, which is how one tells what they were trained with.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor, nn

from pellucid.errors import WeightsError
from pellucid.models.half_huber import HalfHuber

_NAMES = [
    (r"pipe\.0\.", "stem."),
    (r"pipe\.([123])\.", r"stage\1."),
    (r"pipe\.4\.", "norm."),
    (r"pipe\.7\.", "head."),
    (r"\.pre\.0\.", ".norm1."),
    (r"\.main\.0\.", ".conv1."),
    (r"\.main\.1\.", ".norm2."),
    (r"\.main\.3\.", ".conv2."),
]


def _cifar10_preprocess() -> None:
    """Stand in for the function that the files refer to beside their weights; nothing calls it."""


SAFE: list[Callable[..., object] | tuple[Callable[..., object], str]] = [
    (_cifar10_preprocess, "__main__.cifar10_preprocess")
]
"""The one name outside torch that weights may refer to."""


def recognized(weights: Mapping[str, Tensor]) -> bool:
    """Whether weights are those of one of the four published networks."""
    return "input_offset" in weights and "pipe.0.weight" in weights


def translated(weights: Mapping[str, Tensor], model: nn.Module, where: Path | str) -> dict[str, Tensor]:
    """The published tensors under our names, once the model is known to have the activation of their training."""
    widths = {float(width) for name, width in weights.items() if name.endswith(".d")}
    _check_activation(widths, model, where)
    mean, std = weights["input_offset"]
    parts = {
        _renamed(name): tensor
        for name, tensor in weights.items()
        if name != "input_offset" and not name.endswith(".d")
    }
    return {"normalize.mean": mean, "normalize.std": std} | parts


def _check_activation(widths: set[float], model: nn.Module, where: Path | str) -> None:
    built = {module.delta for module in model.modules() if isinstance(module, HalfHuber)}
    if widths == built:
        return
    if not widths:
        raise WeightsError(
            f"{where} was trained with relu and the model has half-huber; build it with activation='relu'"
        )
    deltas = ", ".join(f"{width:g}" for width in sorted(widths))
    raise WeightsError(
        f"{where} was trained with half-huber of delta={deltas} and the model has "
        f"{'another' if built else 'none'}; build it with activation={{'name': 'half-huber', 'delta': {deltas}}}"
    )


def _renamed(name: str) -> str:
    for pattern, ours in _NAMES:
        name = re.sub(pattern, ours, name)
    return name
