"""What the rest of the library knows of a set of labeled images."""

from collections.abc import Iterable, Iterator
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from pellucid.batch import Batch
from pellucid.errors import ConfigError, DataError, count_of
from pellucid.randomness import Noise, derive


@runtime_checkable
class Split(Protocol):
    """Labeled images of one shape, read in batches, with named columns that have one row per image.

    Every batch has the column `index`: the image's number in the split as it was loaded, whatever was taken since.
    """

    @property
    def classes(self) -> tuple[str, ...]:
        """The name of each class; labels count along it."""
        ...

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every image."""
        ...

    @property
    def labels(self) -> Int[Tensor, " n"]:
        """The class of each image."""
        ...

    def __len__(self) -> int:
        """How many images there are."""
        ...

    def batches(self, plan: Iterable[Tensor]) -> Iterator[Batch]:
        """One batch of float32 images in [0, 1] for each tensor of positions."""
        ...

    def take(self, which: int | Tensor) -> "Split":
        """The first `which` images (all of them, if there are fewer), or those at the positions `which`."""
        ...

    def with_column(self, name: str, values: Tensor) -> "Split":
        """The same images with one more column."""
        ...

    def to(self, device: torch.device | str) -> "Split":
        """The same split, whose batches come out on another device."""
        ...

    def fingerprint(self) -> str:
        """A digest of the content: the same images, labels and columns give the same one on any device."""
        ...


def sequential(split: Split, size: int) -> list[Tensor]:
    """A plan that reads every image once, in order: `split.batches(sequential(split, 256))`."""
    if size < 1:
        raise ConfigError(f"batches of {count_of(size, 'image')} cannot be planned; give a size of 1 or more")
    return list(torch.arange(len(split)).split(size)) if len(split) else []


def holdout(split: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """The split without about `fraction` of every class, and the images of that fraction.

    Of a class with two images or more, at least one ends up on each side; both sides keep the order of the images.
    """
    held = held_out(split.labels.cpu(), fraction, seed)
    if not held.any():
        raise DataError(f"of {count_of(len(split), 'image')} none can be held out: no class has two; add images")
    return split.take((~held).nonzero()[:, 0]), split.take(held.nonzero()[:, 0])


def held_out(labels: Int[Tensor, " n"], fraction: float, seed: int) -> Bool[Tensor, " n"]:
    """Which images `holdout` would hold out."""
    if not 0 < fraction < 1:
        raise ConfigError(f"a fraction of {fraction} cannot be held out; give one between 0 and 1")
    held = torch.zeros(len(labels), dtype=torch.bool)
    if not len(labels):
        return held
    draws = Noise(derive(seed, "holdout"), torch.arange(len(labels))).uniform(dtype=torch.float64)
    order = draws.argsort()
    order = order[labels[order].argsort(stable=True)]  # by class, shuffled within each
    for members in order.split(labels.bincount().tolist()):
        count = min(max(round(fraction * len(members)), 1), len(members) - 1)
        held[members[: max(count, 0)]] = True
    return held


_ENOUGH = 10_000
_CHUNK = 250


def statistics(split: Split) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The mean and standard deviation of each channel, over 10,000 evenly spaced images where there are more."""
    if not len(split):
        raise DataError("a split without images has no mean; load one with images")
    count = min(len(split), _ENOUGH)
    plan = (torch.arange(count) * len(split) // count).split(_CHUNK)
    channels, height, width = split.shape
    total = torch.zeros(2, channels, dtype=torch.float64)
    for batch in split.batches(plan):
        x = batch.x.double()
        total += torch.stack([x.sum((0, 2, 3)), x.square().sum((0, 2, 3))]).cpu()
    mean, square = total / (count * height * width)
    spread = (square - mean.square()).clamp(min=0).sqrt()
    return tuple(mean.tolist()), tuple(spread.tolist())


def sample(split: Split, n: int, *, seed: int = 0) -> Split:
    """`n` images drawn at random, in the order of the split: the first ones may all be of one class."""
    if n < 1:
        raise ConfigError(f"n is {n}; measure on 1 image or more")
    if n >= len(split):
        return split
    draws = Noise(derive(seed, "sample"), torch.arange(len(split))).uniform(dtype=torch.float64)
    return split.take(draws.argsort()[:n].sort().values)


def few_of_each(split: Split, count: int, *, seed: int = 0) -> Split:
    """No more than `count` images of each class, drawn at random, in the order of the split."""
    if count < 1:
        raise ConfigError(f"count is {count}; take 1 image of each class or more")
    labels = split.labels.cpu()
    draws = Noise(derive(seed, "few of each"), torch.arange(len(split))).uniform(dtype=torch.float64)
    order = draws.argsort()
    order = order[labels[order].argsort(stable=True)]  # by class, shuffled within each
    sizes = labels.bincount()
    begins = (sizes.cumsum(0) - sizes)[labels[order]]
    return split.take(order[torch.arange(len(split)) - begins < count].sort().values)
