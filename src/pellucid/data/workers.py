"""Work on batches of positions, done ahead of time by worker processes."""

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import wait
from typing import Any, Generic, TextIO, TypeVar, cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader

R = TypeVar("R")

_WORTH = 64  # images; of fewer a worker is started for longer than it works


def workers_for(images: int, workers: int) -> int:
    """So many workers as are worth starting for so many images."""
    return workers if images > _WORTH else 0


def in_workers(
    work: Callable[[Tensor], R], plan: Iterable[Tensor], *, workers: int, pin: bool = False
) -> Iterator[R]:
    """`work` on each tensor of the plan, in order; by this process itself where there are no workers.

    Each worker stays at most two results ahead, so a long plan needs no more memory than a short one.
    """
    loader = DataLoader(
        cast(Any, _Work(work)),
        batch_sampler=cast(Any, plan),
        num_workers=workers,
        collate_fn=_as_it_is,
        pin_memory=pin,
        worker_init_fn=_end_with_parent,
        generator=torch.Generator(),  # without one the loader draws from the global generator
    )
    yield from loader


class _Work(Generic[R]):
    """A function, dressed as the data set that a loader asks for whole batches."""

    def __init__(self, work: Callable[[Tensor], R]) -> None:
        self.work = work

    def __getitems__(self, positions: Tensor) -> R:
        return self.work(positions)


def _as_it_is(result: R) -> R:
    return result


def _end_with_parent(_worker: int) -> None:
    """Let a worker end as soon as its parent does; a loader's own watch misses one that is gone before it starts."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    sys.stderr = cast(Any, _Stderr(sys.stderr, parent.sentinel))


class _Stderr:
    """Standard error of a worker, which says nothing of connections that break because its parent ends."""

    def __init__(self, stream: TextIO, parent: int) -> None:
        self._stream = stream
        self._parent = parent
        self._patience = 0.5

    def write(self, text: str) -> int:
        """Write, unless the parent is gone, or is soon."""
        if wait([self._parent], self._patience):
            os._exit(1)
        self._patience = 0
        return self._stream.write(text)

    def flush(self) -> None:
        """Write what waits."""
        self._stream.flush()
