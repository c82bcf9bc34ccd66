"""A network and the pictures that it is to be explained on, from words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid import data, evaluate, models
from pellucid.batch import Batch
from pellucid.data import Data, Report, Split, silent
from pellucid.errors import ConfigError, ShapeError
from pellucid.ledger import in_halves_on_oom
from pellucid.looking import look
from pellucid.probe import frozen
from pellucid.runs.measuring import device_of, known_data, part_of, settings_of, sized

_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Shown:
    """Pictures, what each is called, and the logits that a network gives them; `train` is what it learned from."""

    name: str
    model: nn.Module
    x: Float[Tensor, "n c h w"]
    names: tuple[str, ...]
    classes: tuple[str, ...]
    logits: Float[Tensor, "n classes"]
    train: Split | None
    untrained: bool = False

    def probabilities(self, x: Float[Tensor, "m c h w"]) -> Float[Tensor, "m classes"]:
        """What the network says of other images."""
        return _logits(self.model, x).double().softmax(1)


def shown(
    model: str,
    paths: Sequence[Path],
    source: str | None = None,
    *,
    weights: str | None = None,
    options: Sequence[str] = (),
    shape: str = "",
    part: str = "test",
    n: int = 8,
    seed: int = 0,
    device: str = "auto",
    download: bool = False,
    report: Report = silent,
) -> Shown:
    """The network that words stand for, at images that files hold; without files, at `n` images of its data."""
    at = device_of(device)
    images: Data | None = None
    if source is None and not (Path(model) / "spec.toml").is_file():
        if not paths:
            raise ConfigError(f"'{model}' is no run, so it knows no images; name image files, or give --data")
        size, classes = _shape(shape, model), ()
        own = settings_of(options)
        settings: Mapping[str, Any] = {"shape": list(size)} | own if model in models.MODELS else own
    else:
        images, _ = known_data(model, source, download=download, report=report)
        size, classes = images.test.shape, images.test.classes
        settings = sized(model, settings_of(options), images)
    network = models.load(model, weights=weights, options=settings).to(at)
    random = models.untrained(model, weights=weights, options=settings)
    if paths or images is None:
        found = data.pictures(paths, size)
        x, names = found.x.to(at), found.names
    else:
        some = evaluate.sample(part_of(images, part), n, seed=seed)
        (batch,) = some.to(at).batches(data.sequential(some, len(some)))
        x, names = batch.x, tuple(f"{part} image {number}" for number in batch.index.tolist())
    logits = _logits(network, x)
    if classes and len(classes) != logits.shape[1]:
        raise ShapeError(
            f"'{model}' tells {logits.shape[1]} classes apart and its data have {len(classes)}; name data of the "
            "classes that it has learned"
        )
    classes = classes or tuple(str(number) for number in range(logits.shape[1]))
    return Shown(model, network, x, names, classes, logits, images.train if images else None, random)


def _logits(network: nn.Module, x: Tensor) -> Tensor:
    nothing = torch.zeros(len(x), dtype=torch.long, device=x.device)
    with frozen(network), torch.no_grad():
        parts = [
            in_halves_on_oom(lambda images: look(network, images.x), Batch.trusted(some, label, {}))
            for some, label in zip(x.split(_AT_ONCE), nothing.split(_AT_ONCE), strict=True)
        ]
    return torch.cat([logits for halves in parts for logits in halves]).cpu()


def _shape(shape: str, model: str) -> tuple[int, int, int]:
    sizes = shape.replace("x", ",").split(",")
    if len(sizes) != 3 or not all(re.fullmatch(r"\s*0*[1-9][0-9]{0,5}\s*", size) for size in sizes):
        given = f"'{shape}' is no shape" if shape else f"'{model}' does not say what images it takes"
        raise ConfigError(f"{given}; give channels, height and width: --shape 3,32,32")
    channels, height, width = (int(size) for size in sizes)
    return channels, height, width
