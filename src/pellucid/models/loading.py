"""One door for every trained network, whoever trained it."""

import json
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor, nn

from pellucid import limits
from pellucid.errors import ConfigError, DownloadError, NotTrusted, RunError, ShapeError, WeightsError
from pellucid.extras import extra
from pellucid.intake import intake_of, with_intake
from pellucid.ledger import checksums
from pellucid.models import MODELS
from pellucid.models.building import construct
from pellucid.models.factories import Factory
from pellucid.models.hugging_face import CONFIG_FILE, FILES, from_hugging_face
from pellucid.models.onnx import onnx_network
from pellucid.models.sources import factory_of
from pellucid.models.weight_files import fit_weights, is_torchscript, read_weights
from pellucid.trust import Written, trusting, trusts_file, trusts_module, written

MODEL_FILE = "model.json"
WEIGHTS_FILE = "model.safetensors"
_PROGRAMS = (".pt", ".pth", ".pt2", ".ts")


def load(
    source: str | Callable[..., nn.Module],
    *,
    weights: Path | str | None = None,
    options: Mapping[str, object] = MappingProxyType({}),
    trust: Iterable[str | Path] | bool = (),
) -> nn.Module:
    """A network on the CPU, in eval mode.

    `source` is a function that makes one, or a string:

    - `simple-cnn`: a name that `pellucid list` shows,
    - `package.module:function`: your own, looked for in the current folder too,
    - `runs/mine`: a folder with `model.json` (`{"name": ..., "options": {...}}`) and `model.safetensors`,
    - `net.pt`, `net.pt2`: a TorchScript or exported program,
    - `net.onnx`: a network that onnxruntime asks, without gradients; options are `mean`, `std` and `probabilities`,
    - `timm:name`: a network of timm, pretrained unless weights are given,
    - `hf:owner/repository`, `hf:/path/to/folder`: an image classifier of transformers, from the Hugging Face Hub or
      from a folder; or a folder as above, which then may only name a listed network.

    `weights` names a safetensors or `torch.save` file; `options` go to the function that makes the network.

    A program can do whatever code can, and so can a function that `model.json` names. `trust` names the program files
    that may run all the same, and the modules outside the current project whose functions may; True trusts all.
    """
    with trusting(trust):
        if not isinstance(source, str):
            return _loaded(source, weights, options)
        with limits.reading(source):
            return _loaded(source, weights, options)


def _loaded(
    source: str | Callable[..., nn.Module], weights: Path | str | None, options: Mapping[str, object]
) -> nn.Module:
    if not isinstance(source, str):
        return _made(source, getattr(source, "__name__", repr(source)), weights, options)
    if source.startswith("hf:"):
        if isinstance(source, Written) and not trusts_module(source):
            raise NotTrusted(
                f"{source.file} names '{source}', which is fetched; if you trust it, add --trust {source}"
            )
        return _from_hub(source.removeprefix("hf:"), weights, options)
    if source.startswith("timm:"):
        return _from_timm(source, weights, options)
    if source not in MODELS:  # a folder may happen to be called lenet
        if Path(source).suffix == ".onnx":
            return _from_onnx(Path(source), weights, options)
        if Path(source).suffix in _PROGRAMS:
            return _from_program(Path(source), weights, options)
        if "/" in source or Path(source).is_dir():
            return _from_folder(Path(source), weights, options)
    return _made(factory_of(source), source, weights, options)


def untrained(
    source: str | Callable[..., nn.Module],
    *,
    weights: Path | str | None = None,
    options: Mapping[str, object] = MappingProxyType({}),
) -> bool:
    """Whether `load` gives a network as it is initialized: a listed one, or timm's by `pretrained=False`.

    Of a function of somebody else's it cannot be told whether it reads weights.
    """
    if not isinstance(source, str) or weights is not None:
        return False
    return source in MODELS or (source.startswith("timm:") and options.get("pretrained", True) is False)


def _made(factory: Factory, owner: str, weights: Path | str | None, options: Mapping[str, object]) -> nn.Module:
    network = construct(factory, options, owner, seed=0)
    if weights is not None:
        fit_weights(network, read_weights(weights), weights)
    return network.cpu().eval()


def _from_timm(source: str, weights: Path | str | None, options: Mapping[str, object]) -> nn.Module:
    network = construct(factory_of(source), {"pretrained": weights is None} | dict(options), source, seed=0)
    if weights is not None:
        found = read_weights(weights)
        # weights that timm wrote know nothing of the normalization in front
        ours = any(name.startswith("network.") for name in found)
        fit_weights(network if ours else network.get_submodule("network"), found, weights)
        _forget_classes(network)
    return network.cpu().eval()


def _forget_classes(network: nn.Module) -> None:
    """Let a published architecture whose weights are somebody's own say no classes: nobody has said theirs."""
    if (said := intake_of(network)) is not None:
        with_intake(network, replace(said, classes=()))


def _from_folder(folder: Path, weights: Path | str | None, options: Mapping[str, object]) -> nn.Module:
    name, stored = _description(folder)
    if weights is None:
        checksums.check(folder / WEIGHTS_FILE)
    if name.startswith("timm:"):
        stored = {**stored, "pretrained": False}  # the folder has the weights: none need to be fetched
    try:
        network = _made(factory_of(name), name, weights or folder / WEIGHTS_FILE, stored | dict(options))
        if name.startswith("timm:"):
            _forget_classes(network)
        return network
    except (ConfigError, ShapeError) as error:
        if options:  # which may be what is wrong
            raise
        raise RunError(f"{folder / MODEL_FILE} asks for a network that cannot be made: {error}; mend it") from error


def _from_hub(repository: str, weights: Path | str | None, options: Mapping[str, object]) -> nn.Module:
    folder = Path(repository).expanduser() if repository.startswith(("/", ".", "~")) else _fetched(repository)
    if (folder / CONFIG_FILE).is_file() and not (folder / MODEL_FILE).exists():
        if weights is not None:
            raise ConfigError(f"'hf:{repository}' has its weights; leave --weights out")
        return from_hugging_face(folder, options, f"hf:{repository}")
    name, _ = _description(folder)
    # an import path would let whoever wrote the file call any function here with arguments of their choice
    if ":" in name:
        raise RunError(f"'hf:{repository}' asks for '{name}'; of downloads only listed networks are built")
    return _from_folder(folder, weights, options)


def _fetched(repository: str) -> Path:
    hub = extra("huggingface_hub", f"hf:{repository}", "huggingface")
    try:
        return Path(hub.snapshot_download(repository, allow_patterns=[MODEL_FILE, WEIGHTS_FILE, *FILES]))
    except Exception as error:  # the network and the hub fail in many ways
        raise DownloadError(f"'hf:{repository}' could not be fetched: {' '.join(str(error).split())}") from error


def _from_program(path: Path, weights: Path | str | None, options: Mapping[str, object]) -> nn.Module:
    if weights is not None or options:
        raise ConfigError(f"{path} is a whole program; it takes neither weights nor options")
    if not path.is_file():
        raise ConfigError(f"there is no program {path}")
    return _program(path).eval()


def _from_onnx(path: Path, weights: Path | str | None, options: Mapping[str, object]) -> nn.Module:
    if weights is not None:
        raise ConfigError(f"{path} is a whole program; it takes no weights")
    if not path.is_file():
        raise ConfigError(f"there is no program {path}")
    _check_trust(path, "an ONNX program, which can read other files and take any time and memory")
    return construct(partial(onnx_network, path), options, str(path), seed=0)


def _description(folder: Path) -> tuple[str, dict[str, object]]:
    if not folder.is_dir():
        raise RunError(f"there is no run folder {folder}")
    file = folder / MODEL_FILE
    if not file.is_file():
        raise RunError(f"{folder} has no {MODEL_FILE} to say which network its weights are for")
    try:
        content = written(json.loads(checksums.read(file, most=limits.JSON)), file)
        name, options = content["name"], content.get("options", {})
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise RunError(
            f'{file} is not a table like {{"name": "simple-cnn", "options": {{}}}}; make it one'
        ) from error
    if not isinstance(name, str) or not isinstance(options, dict):
        raise RunError(f'{file} is not a table like {{"name": "simple-cnn", "options": {{}}}}; make it one')
    return name, options


class Exported(nn.Module):
    """An exported program as a module; it has one mode, whichever it was exported in."""

    def __init__(self, program: nn.Module) -> None:
        super().__init__()
        self.program = program

    def forward(self, x: Tensor) -> Tensor:
        """Logits, as the program computes them."""
        return self.program(x)

    def train(self, mode: bool = True) -> "Exported":
        """Note the mode; the program itself would refuse to be told."""
        self.training = mode
        return self


def _program(path: Path) -> nn.Module:
    """The network in a TorchScript or exported program, on the CPU; one that nobody trusts is not opened."""
    if path.suffix == ".pt2":
        _check_trust(path, "an exported program, and reading it can run any code")
    elif is_torchscript(path):
        _check_trust(path, "a TorchScript program, which can write and open any file")
    if path.suffix == ".pt2":
        try:
            return Exported(torch.export.load(path).module())
        except Exception as error:  # as many kinds as there are versions of the format
            raise WeightsError(
                f"{path} is not an exported program that torch {torch.__version__} can read"
            ) from error
    if not is_torchscript(path):
        raise WeightsError(
            f"{path} holds no program; if it holds weights, name their network and give weights='{path}'"
        )
    try:
        return torch.jit.load(path, map_location="cpu")
    except (RuntimeError, ValueError) as error:  # the latter where its name is no text
        raise WeightsError(f"{path} is not a TorchScript program that torch {torch.__version__} can read") from error


def _check_trust(path: Path, what: str) -> None:
    if not trusts_file(path):
        raise NotTrusted(
            f"{path} is {what}; if you trust whoever made it, add --trust {shlex.quote(str(path))} "
            "(in Python: trust=True)"
        )
