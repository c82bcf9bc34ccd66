"""Work on a batch, done on parts of it where memory does not suffice for all at once."""

from collections.abc import Callable
from typing import TypeVar

import torch

from pellucid.batch import Batch

T = TypeVar("T")


def by_halves(work: Callable[[Batch], T], images: Batch) -> list[T]:
    """What the work makes of the batch, or of both halves, or of theirs; a single image must fit."""
    try:
        return [work(images)]
    except torch.OutOfMemoryError:
        if len(images) == 1:
            raise
    # here and not above: while the error is handled, it keeps alive what did not fit
    half = len(images) // 2
    return [part for rows in (slice(half), slice(half, None)) for part in by_halves(work, images.rows(rows))]
