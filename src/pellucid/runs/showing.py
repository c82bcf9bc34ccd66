"""A network and the pictures that it is to be explained on, from words."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid import data, evaluate, models
from pellucid.batch import Batch
from pellucid.data import Report, Split, silent
from pellucid.errors import ConfigError
from pellucid.probe import Probe, frozen
from pellucid.runs.measuring import device_of, known_data, part_of, settings_of, sized

_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Shown:
    """Pictures, what each is called, and the logits that a network gives them; `train` is what it learnt from."""

    name: str
    model: nn.Module
    x: Float[Tensor, "n c h w"]
    names: tuple[str, ...]
    classes: tuple[str, ...]
    logits: Float[Tensor, "n classes"]
    train: Split | None

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
    train: Split | None = None
    if source is None and not (Path(model) / "spec.toml").is_file():
        if not paths:
            raise ConfigError(f"'{model}' is no run, so it knows no images; name image files, or give --data")
        size, classes = _shape(shape, model), ()
        own = settings_of(options)
        settings = {"shape": list(size)} | own if model in models.MODELS else own
        network = models.load(model, weights=weights, options=settings).to(at)
    else:
        images, _ = known_data(model, source, download=download, report=report)
        train, size, classes = images.train, images.test.shape, images.test.classes
        network = models.load(model, weights=weights, options=sized(model, settings_of(options), images)).to(at)
        if not paths:
            some = evaluate.sample(part_of(images, part), n, seed=seed)
            (batch,) = some.to(at).batches(data.sequential(some, len(some)))
            names = tuple(f"{part} image {number}" for number in batch.index.tolist())
            return Shown(model, network, batch.x, names, classes, _logits(network, batch.x), train)
    found = data.pictures(paths, size)
    x = found.x.to(at)
    logits = _logits(network, x)
    classes = classes or tuple(str(number) for number in range(logits.shape[1]))
    return Shown(model, network, x, found.names, classes, logits, train)


def _logits(network: nn.Module, x: Tensor) -> Tensor:
    nothing = torch.zeros(len(x), dtype=torch.long, device=x.device)
    with frozen(network), torch.no_grad():
        parts = [
            Probe(network, Batch.trusted(some, label, {}), second_order=False).logits.detach()
            for some, label in zip(x.split(_AT_ONCE), nothing.split(_AT_ONCE), strict=True)
        ]
    return torch.cat(parts).cpu()


def _shape(shape: str, model: str) -> tuple[int, int, int]:
    sizes = shape.replace("x", ",").split(",")
    if len(sizes) != 3 or not all(size.strip().isdigit() and int(size) for size in sizes):
        given = f"'{shape}' is no shape" if shape else f"'{model}' does not say what images it takes"
        raise ConfigError(f"{given}; give channels, height and width: --shape 3,32,32")
    channels, height, width = (int(size) for size in sizes)
    return channels, height, width
