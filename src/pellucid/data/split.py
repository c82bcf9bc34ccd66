"""What the rest of the library knows of a set of labeled images."""

from collections.abc import Iterable, Iterator
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Int
from torch import Tensor

from pellucid.batch import Batch
from pellucid.errors import ConfigError


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
        raise ConfigError(f"batches of {size} images cannot be planned; give a size of 1 or more")
    return list(torch.arange(len(split)).split(size)) if len(split) else []
