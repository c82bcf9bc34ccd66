"""Work on a batch, done on parts of it where memory does not suffice for all at once."""

import errno
from collections.abc import Callable
from typing import TypeVar

import torch

from pellucid.batch import Batch
from pellucid.errors import NoRoom

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


def out_of_memory(error: BaseException) -> bool:
    """Whether this error says that memory did not suffice, whoever says it: Python, numpy, torch or a library of its.

    Only what accelerators' allocators raise has a class of its own; the others are told by their words.
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _WORDS)


def no_room(error: BaseException) -> NoRoom:
    """What is said where not even one image fits."""
    if isinstance(error, NoRoom):
        return error
    said = str(error).strip().partition("\n")[0] or type(error).__name__
    return NoRoom(
        f"memory does not suffice for a single image ({said}); free some, or take smaller images or a smaller network"
    )


_WORDS = (
    "can't allocate memory",  # the CPU's allocator
    "not enough memory",  # the same on Windows
    "out of memory",  # other accelerators, and CUDA outside of torch's allocator
    "bad_alloc",
    "ALLOC_FAILED",  # cuBLAS and cuDNN
    "could not create a memory object",  # oneDNN
    "could not create a primitive",
)
