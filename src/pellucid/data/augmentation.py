"""Random changes to whole batches that keep an image's class.

Each image draws its own numbers, so that its change does not depend on the batch it came in. Maps and masks that lie
over the image move with it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from jaxtyping import Shaped
from torch import Tensor

from pellucid.batch import Batch
from pellucid.randomness import Noise

Planes = Shaped[Tensor, "b c h w"]


class Augmentation(ABC):
    """A random change of a batch, drawn per image."""

    registry: ClassVar[str] = "pellucid.data:AUGMENTATIONS"

    @abstractmethod
    def __call__(self, batch: Batch, noise: Noise) -> Batch:
        """The batch, changed; its pixels are still in [0, 1]."""


def moved(batch: Batch, move: Callable[[Planes], Planes]) -> Batch:
    """The batch with `move` applied to its images and to every column that lies over them."""
    size = batch.x.shape[-2:]
    columns = dict(batch.columns)
    for name, column in batch.columns.items():
        if column.shape[-2:] == size and column.ndim == 4:
            columns[name] = move(column)
        elif column.shape[-2:] == size and column.ndim == 3:
            columns[name] = move(column[:, None])[:, 0]
    return Batch.trusted(move(batch.x), batch.y, columns)
