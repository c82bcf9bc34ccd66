"""Several changed copies of every image, looked at together."""

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.batch import Batch
from pellucid.probe import Probe

# odd and larger than numbers of copies, so that copies of copies do not meet either
_STRIDE = 1_000_003


def portions(copies: int, images: int, rows: int) -> Iterator[range]:
    """The numbers of the copies, as many at a time as make `rows` rows with the images, and at least one."""
    at_once = max(1, rows // images)
    for first in range(0, copies, at_once):
        yield range(first, min(first + at_once, copies))


def at_copies(probe: Probe, numbers: range, make: Callable[[int], Float[Tensor, "b *shape"]]) -> Probe:
    """A probe at the copies of these numbers, one whole batch after another; `fold` takes its answers apart again.

    Copies may leave [0, 1]. Each has random numbers of its own, that follow from its number.
    """
    rows = torch.cat([make(number) for number in numbers])
    index = torch.cat([probe.batch.index * _STRIDE + number + 1 for number in numbers])
    return probe.on(Batch.trusted(rows, probe.y.repeat(len(numbers)), {"index": index}))


def fold(values: Float[Tensor, "rows *shape"], copies: int) -> Float[Tensor, "copies b *shape"]:
    """The rows of a probe at copies, taken apart into copies and images."""
    return values.unflatten(0, (copies, len(values) // copies))
