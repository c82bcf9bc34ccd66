"""Image classifiers of Hugging Face's transformers, from a folder that lies here."""

import json
import re
import shlex
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from pellucid import limits
from pellucid.contained import made
from pellucid.errors import ConfigError, NotTrusted, PellucidError, RunError, count_of, suggestion
from pellucid.extras import extra
from pellucid.intake import with_intake
from pellucid.models.hugging_face_intake import said_by
from pellucid.models.input_layer import Normalize
from pellucid.randomness import seeded
from pellucid.trust import trusts_file

CONFIG_FILE = "config.json"
FILES = (CONFIG_FILE, "preprocessor_config.json", "model.safetensors.index.json", "model-*.safetensors")
"""What is fetched of a repository beside `model.safetensors`: no code, and no weights that need code to be read."""

_OPTIONS = ("mean", "std", "shape")
_DEEPEST = 1000  # layers


class HuggingFaceClassifier(nn.Module):
    """An image classifier of transformers that takes images in [0, 1] and returns its logits alone."""

    def __init__(self, normalize: Normalize, network: nn.Module) -> None:
        super().__init__()
        self.normalize = normalize
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Logits, (images, classes)."""
        return self.network(pixel_values=self.normalize(x)).logits


def from_hugging_face(folder: Path, options: Mapping[str, object], owner: str) -> nn.Module:
    """The classifier whose `config.json` and safetensors lie in a folder; `owner` is its name in messages.

    No code of the folder runs, and nothing that it names is fetched. Its `preprocessor_config.json` says how pixels
    are scaled, cropped and normalized; the options `mean`, `std` and `shape` say it where that is missing.
    """
    for name in options:
        if name not in _OPTIONS:
            raise ConfigError(f"'{owner}' has no option '{name}'{suggestion(name, _OPTIONS)}")
    content = _table(folder / CONFIG_FILE)
    _check(content, folder, owner)
    safe = _check_weights(folder, owner)
    transformers = extra("transformers", owner, "huggingface")
    processor = _processor(folder, transformers, owner)
    intake, mean, std = said_by(content, processor, options, owner)
    try:
        with seeded(0), _without_bars(transformers), made(f"'{owner}'"):
            network = _network(folder, transformers, owner, safe=safe)
    except (PellucidError, MemoryError):
        raise
    except Exception as error:  # as many kinds as there are networks in transformers
        told = " ".join(f"{type(error).__name__}: {error}".split())[:500]
        raise RunError(f"'{owner}' is no image classifier that transformers can make: {told}") from error
    return with_intake(HuggingFaceClassifier(Normalize(mean, std), network), intake).cpu().eval()


def _network(folder: Path, transformers: Any, owner: str, *, safe: bool) -> nn.Module:
    trusted = {"local_files_only": True, "trust_remote_code": False}
    config = transformers.AutoConfig.from_pretrained(str(folder), **trusted)
    kind = transformers.AutoModelForImageClassification
    with torch.device("meta"):  # where numbers take no memory
        tensors = kind.from_config(config, trust_remote_code=False).state_dict().values()
    needed = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    limits.check(needed, limits.NETWORK, f"'{owner}'", "give a smaller network")
    # the names of other implementations of attention may be those of code to fetch
    network, found = kind.from_pretrained(
        str(folder), use_safetensors=safe, attn_implementation="eager", output_loading_info=True, **trusted
    )
    if missing := sorted(found["missing_keys"]) + sorted(map(str, found.get("mismatched_keys", ()))):
        raise RunError(f"the weights of '{owner}' have no {missing[0]} that fits; give those of this network")
    return network


@contextmanager
def _without_bars(transformers: Any) -> Generator[None]:
    """Let nothing be drawn to standard error, which is the command line's."""
    says = transformers.utils.logging
    drew = says.is_progress_bar_enabled()
    says.disable_progress_bar()
    try:
        yield
    finally:
        if drew:
            says.enable_progress_bar()


def _table(file: Path) -> Mapping[str, Any]:
    try:
        content: Any = json.loads(limits.read(file, most=limits.JSON))
    except (ValueError, RecursionError) as error:
        raise RunError(f"{file} is no JSON; give the folder of a network") from error
    if not isinstance(content, dict):
        raise RunError(f"{file} is no table of settings; give the folder of a network")
    return cast("Mapping[str, Any]", content)


def _check(content: Mapping[str, Any], folder: Path, owner: str) -> None:
    """Refuse settings that would fetch something, or stand for endless networks."""
    if "pretrained_cfg" in content or content.get("model_type") == "timm_wrapper":
        place = (
            f"local-dir:{folder}" if owner.startswith(("hf:/", "hf:.", "hf:~")) else owner.replace("hf:", "hf-hub:")
        )
        raise ConfigError(f"'{owner}' is a network of timm; name it timm:{place}")
    if (folder / "adapter_config.json").exists():
        raise NotTrusted(f"'{owner}' adapts another network, which would be fetched; save both as one network")
    for name, value in _settings(content):
        fetches = isinstance(value, str) and "/" in value and name.endswith("_implementation")
        if fetches or (name in ("use_pretrained_backbone", "backbone", "quantization_config") and value):
            raise NotTrusted(
                f"{folder / CONFIG_FILE} says {name}={str(value)[:100]!r}, which may fetch something or run code; "
                "take it out, or give another network"
            )
        numbers = cast("list[Any]", value) if isinstance(value, list) else [value]
        if re.search(r"layers|depths|blocks", name) and any(isinstance(n, int) and n > _DEEPEST for n in numbers):
            raise RunError(f"{folder / CONFIG_FILE} asks for more than {_DEEPEST} layers in {name}; mend it")
        if name == "num_labels" and isinstance(value, int) and value > limits.CLASSES:
            raise RunError(
                f"{folder / CONFIG_FILE} asks for {count_of(value, 'class')}; there may be {limits.CLASSES}"
            )
        if name in ("id2label", "label2id") and isinstance(value, dict) and len(value) > limits.CLASSES:  # pyright: ignore[reportUnknownArgumentType]
            raise RunError(
                f"{folder / CONFIG_FILE} names more than {count_of(limits.CLASSES, 'class')}; give a smaller network"
            )


def _settings(content: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Each setting with its name, those of tables in tables too, but for the names of classes."""
    found: list[tuple[str, Any]] = []
    open_ = [content]
    while open_:
        for name, value in open_.pop().items():
            found.append((name, value))
            if isinstance(value, dict) and name not in ("id2label", "label2id"):
                open_.append(cast("Mapping[str, Any]", value))
    return found


def _check_weights(folder: Path, owner: str) -> bool:
    """Whether the weights are safetensors; others are read with somebody's word only."""
    if (folder / "model.safetensors").exists():
        return True
    index = folder / "model.safetensors.index.json"
    if index.exists():
        shards = _table(index).get("weight_map")
        names: set[Any] = set(cast("dict[str, Any]", shards).values()) if isinstance(shards, dict) else {None}
        if not all(isinstance(name, str) and re.fullmatch(r"[\w.-]+\.safetensors", name) for name in names):
            raise RunError(f"{index} names weights that do not lie beside it; give the folder as it was saved")
        return True
    pickled = folder / "pytorch_model.bin"
    if not pickled.exists():
        raise RunError(f"'{owner}' has no model.safetensors; save the network with safe_serialization=True")
    if not trusts_file(pickled):
        raise NotTrusted(
            f"{pickled} are weights that may run code when they are read; save them as safetensors, or, if you trust "
            f"whoever made them, add --trust {shlex.quote(str(pickled))} (in Python: trust=True)"
        )
    return False


def _processor(folder: Path, transformers: Any, owner: str) -> Mapping[str, Any] | None:
    """What is done to pictures, with what transformers takes where the file says nothing; none without a file."""
    file = folder / "preprocessor_config.json"
    if not file.exists():
        return None
    _table(file)
    try:
        with made(f"'{owner}'"):
            found = transformers.AutoImageProcessor.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False
            )
            return found.to_dict()
    except PellucidError:
        raise
    except Exception as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())[:500]
        raise RunError(f"{file} says nothing that transformers understands: {told}") from error
