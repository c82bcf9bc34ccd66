"""Work on a batch, done on parts of it where memory does not suffice for all at once."""

from collections.abc import Callable
from typing import TypeVar

from pellucid.batch import Batch
from pellucid.memory import no_room, out_of_memory

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
