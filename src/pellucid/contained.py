"""Where the code of somebody else's network runs: what it changes around it is put back, and it ends nothing."""

import random
import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid import stopping, surroundings
from pellucid.errors import NetworkError


class contained:  # noqa: N801 - a context manager reads as a verb
    """Settings of torch, numpy and the process are after this block what they were before it.

    What ends a program, such as SystemExit, becomes an error of the network; errors go on as they are, and so does
    Ctrl-C. Where several threads are in such blocks at once, what all share is put back to what it was before the
    first of them. Random numbers are left alone: a network that draws some must not draw the same ones each time.
    """

    def __init__(self, owner: str) -> None:
        self._owner = owner

    def __enter__(self) -> None:
        self._own = surroundings.read(surroundings.OF_THE_THREAD)
        _process.enter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        changed = surroundings.put_back(surroundings.OF_THE_THREAD, self._own) + _process.leave()
        if changed:
            _say(self._owner, changed)
        # errors of a network's iterators would end our own generators
        if error is not None and (not isinstance(error, Exception) or isinstance(error, StopIteration)):
            # Ctrl-C raises one of ours where the command line watches for it; elsewhere it cannot be told apart
            pressed = isinstance(error, KeyboardInterrupt) and not stopping.watching()
            if pressed or type(error).__module__.partition(".")[0] == "pellucid":
                return
            raise NetworkError(
                f"{self._owner} asked the program to end ({reason(error)}), which no network may"
            ) from error


def called(model: nn.Module, x: Float[Tensor, "b *shape"]) -> Any:
    """What a network answers, whatever it does to its input, to its earlier answers and around it.

    It is given a copy of the images, through which gradients go on to them: a network that writes over its input
    writes over nothing else. What it returns is copied too, as it may return the same memory at every call.
    """
    with contained(name_of(model)):
        answer = model(x.clone())
    return answer.clone() if isinstance(answer, Tensor) else answer


def name_of(model: nn.Module) -> str:
    """What a network is called where nothing but the module is known."""
    return f"the network ({type(model).__name__})"


def reason(error: BaseException) -> str:
    """What an error is and says, in one line; programs that are compiled put their traceback before it."""
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    kind = type(error).__name__
    return f"{kind}: {lines[-1 if 'Traceback' in str(error) else 0]}" if lines else kind


@contextmanager
def made(owner: str) -> Generator[None]:
    """`contained`, for code that is imported or that makes a network; all random numbers are left alone, too."""
    flags = torch.backends.cudnn
    before = (flags.enabled, flags.benchmark, flags.deterministic, flags.allow_tf32)
    numbers, arrays = random.getstate(), np.random.get_state()
    try:
        with contained(owner):
            yield
    finally:
        random.setstate(numbers)
        np.random.set_state(arrays)
        flags.enabled, flags.benchmark, flags.deterministic, flags.allow_tf32 = before


class _Process:
    """What all threads share, as it was before the first of those that are in a contained block."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before: list[Any] = []

    def enter(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = surroundings.read(surroundings.OF_THE_PROCESS)
            self._inside += 1

    def leave(self) -> list[str]:
        with self._lock:
            self._inside -= 1
            return surroundings.put_back(surroundings.OF_THE_PROCESS, self._before)


_process = _Process()
_said: set[tuple[str, str]] = set()


def _say(owner: str, changed: list[str]) -> None:
    new = [name for name in changed if (owner, name) not in _said]
    _said.update((owner, name) for name in new)
    if new and not stopping.asked():  # a signal changes some of it, and ends all
        warnings.warn(f"{owner} changed {', '.join(new)}; it was put back", stacklevel=4)
