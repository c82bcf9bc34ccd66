"""Whether memory ran out, whoever says it."""

import errno

import torch

from pellucid.errors import NoRoom


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
    "could not execute a primitive",  # which asks for memory of its own
)
