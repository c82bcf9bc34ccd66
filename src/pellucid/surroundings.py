"""What the code of a network can change around it, and how that is put back.

These are settings of torch, of numpy and of the process.
"""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import overrides


@dataclass(frozen=True)
class Setting:
    """One thing that can be changed: its name, how it is read, and how it is put back."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object]


def _modes() -> int:
    return torch._C._len_torch_function_stack()  # pyright: ignore


class _Products:
    """The precision of matrix products, which is the process's: exact as long as any thread decides.

    What others have chosen for the process is known all the time, so that a network that changes it is told from a
    thread that decides for a moment.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0
        self._chosen = ""

    @contextmanager
    def exact(self) -> Generator[None]:
        """Products in all digits while the block runs."""
        with self._lock:
            if not self._holders:
                self._chosen = torch.get_float32_matmul_precision()
                torch.set_float32_matmul_precision(_EXACT)
            self._holders += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
                if not self._holders:
                    torch.set_float32_matmul_precision(self._chosen)

    def read(self) -> tuple[str, str]:
        """What is chosen for the process, and what is there in place of what should be."""
        with self._lock:
            now = torch.get_float32_matmul_precision()
            return (self._chosen, "" if now == _EXACT else now) if self._holders else (now, "")

    def put_back(self, before: tuple[str, str]) -> None:
        """Make it what was chosen, or exact where somebody decides."""
        with self._lock:
            torch.set_float32_matmul_precision(_EXACT if self._holders else before[0])


_EXACT = "highest"
products = _Products()


def _device_put_back(before: tuple[torch.device, int]) -> None:
    """Function modes that were left on are taken off; a default device is one of them."""
    device, depth = before
    if _modes() != depth:
        torch.set_default_device(None)
    if torch.get_default_device() != device:
        torch.set_default_device(device)
    while _modes() > depth:
        overrides._pop_mode()  # pyright: ignore


_inferences: list[Any] = []  # kept for ever: each would switch back when it goes


def _gradients_put_back(before: tuple[bool, bool]) -> None:
    inference, gradients = before
    if torch.is_inference_mode_enabled() != inference:
        _inferences.append(torch._C._InferenceMode(inference))  # pyright: ignore
    torch._C._set_grad_enabled(gradients)  # pyright: ignore


def _deterministic_put_back(before: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(before[0], warn_only=before[1])


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - a path would take ten times as long, at every look
    except OSError:  # it was removed
        return None


def _folder_put_back(before: str | None) -> None:
    if before is not None:
        with suppress(OSError):
            os.chdir(before)


def _handlers() -> tuple[Any, ...]:
    if threading.current_thread() is not threading.main_thread():
        return ()  # where none can be set
    return tuple(map(signal.getsignal, (signal.SIGINT, signal.SIGTERM)))


def _handlers_put_back(before: tuple[Any, ...]) -> None:
    for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=False):
        ours = getattr(signal.getsignal(number), "__module__", "") == "pellucid.stopping"  # a signal came
        if handler is not None and not ours:
            signal.signal(number, handler)


class _Unknown:  # noqa: PLW1641, nobody asks for a hash
    """What may change at any moment, and equals anything, so that nobody is said to have changed it."""

    def __eq__(self, other: object) -> bool:
        return True


_UNKNOWN = _Unknown()


def _filters() -> Sequence[Any] | _Unknown:
    # where others run, one of them may be within `warnings.catch_warnings`, which is the process's too
    return warnings.filters[:] if threading.active_count() == 1 else _UNKNOWN


def _filters_put_back(before: Sequence[Any] | _Unknown) -> None:
    if not isinstance(before, _Unknown):
        warnings.filters[:] = before  # pyright: ignore[reportIndexIssue]
        warnings._filters_mutated()  # pyright: ignore


def _path_put_back(before: list[str]) -> None:
    """What a network put there it may need later, to import; it comes after what others import from."""
    sys.path[:] = before + [place for place in sys.path if place not in before]


def _autocast() -> tuple[bool, bool]:
    return torch.is_autocast_enabled("cpu"), torch.is_autocast_enabled("cuda")


def _autocast_put_back(before: tuple[bool, bool]) -> None:
    for device, enabled in zip(("cpu", "cuda"), before, strict=True):
        torch.set_autocast_enabled(device, enabled)


def _streams_put_back(before: tuple[Any, Any]) -> None:
    sys.stdout, sys.stderr = before


def _setting(name: str, read: Callable[[], Any], write: Callable[[Any], object]) -> Setting:
    return Setting(name, read, write)


OF_THE_THREAD: Sequence[Setting] = (
    _setting(
        "whether gradients are taken",
        lambda: (torch.is_inference_mode_enabled(), torch.is_grad_enabled()),
        _gradients_put_back,
    ),
    _setting("autocast", _autocast, _autocast_put_back),
    _setting(
        "the default device",
        lambda: (torch.get_default_device(), _modes()),
        _device_put_back,
    ),
    _setting("numpy's treatment of errors", np.geterr, lambda before: np.seterr(**before)),
)
"""What every thread has of its own."""

OF_THE_PROCESS: Sequence[Setting] = (
    _setting("the default precision", torch.get_default_dtype, torch.set_default_dtype),
    _setting("the number of threads", torch.get_num_threads, torch.set_num_threads),
    _setting(
        "torch's deterministic algorithms",
        lambda: (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
        ),
        _deterministic_put_back,
    ),
    _setting(
        "the precision of matrix products",
        products.read,
        products.put_back,
    ),
    _setting("the current folder", _folder, _folder_put_back),
    _setting("the handlers of signals", _handlers, _handlers_put_back),
    _setting("the filters of warnings", _filters, _filters_put_back),
    _setting("where modules are imported from", lambda: sys.path[:], _path_put_back),
    _setting("where output goes", lambda: (sys.stdout, sys.stderr), _streams_put_back),
)
"""What all threads share."""


def read(settings: Sequence[Setting]) -> list[Any]:
    """The values that settings of Python and PyTorch have now."""
    return [setting.read() for setting in settings]


def put_back(settings: Sequence[Setting], before: Sequence[Any]) -> list[str]:
    """Make them what they were; the names of those that were something else."""
    changed: list[str] = []
    for setting, value in zip(settings, before, strict=True):
        now = setting.read()
        if now != value:
            setting.write(value)
            changed.append(setting.name)
    return changed
