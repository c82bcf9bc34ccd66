"""Work on a batch, done on parts of it where memory does not suffice for all at once."""

from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from pellucid.batch import Batch
from pellucid.errors import NoRoom
from pellucid.memory import no_room, out_of_memory

P = TypeVar("P")
T = TypeVar("T")


def in_halves_on_oom(work: Callable[[Batch], T], images: Batch) -> list[T]:
    """What the work makes of the batch, or of both halves, or of theirs; a single image must fit."""
    try:
        return [work(images)]
    except Exception as error:
        if not out_of_memory(error):
            raise
        if len(images) == 1:
            raise no_room(error) from error
    # here and not above: while the error is handled, it keeps alive what did not fit
    half = len(images) // 2
    return [part for rows in (slice(half), slice(half, None)) for part in in_halves_on_oom(work, images.rows(rows))]


def steps_in_halves(
    work: Callable[[Sequence[T]], Generator[P, None, Tensor]], items: Sequence[T]
) -> Generator[P, None, Tensor]:
    """The same for a work on several things that says how far it is; its rows are put together."""
    try:
        return (yield from work(items))
    except Exception as error:
        if not out_of_memory(error) or isinstance(error, NoRoom):
            raise
        if len(items) == 1:
            raise no_room(error) from error
    half = len(items) // 2
    first = yield from steps_in_halves(work, items[:half])
    rest = yield from steps_in_halves(work, items[half:])
    return torch.cat([first, rest])
