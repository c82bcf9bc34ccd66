"""Signals that ask the process to end: Ctrl-C, `kill`, and a terminal that goes away.

The first raises `Stopped` wherever the process is, so that blocks let go what they hold. Where an exception would be
lost, at a second signal, and when all is said, the process ends at once; no file of ours minds, since each is written
whole or not at all.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SHOW_CURSOR = b"\x1b[?25h"  # a progress bar hides it


class Stopped(KeyboardInterrupt):
    """The process was asked to end: no fault of a network or a file, and never taken for one."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


class _Ending:
    """What has been asked for, and what is to be done about it."""

    def __init__(self) -> None:
        self.process = 0  # that began; one that it forks inherits all this
        self.code = 0
        self.keeps = self.silent = False
        self.helpers: list[Callable[[], object]] = []  # what ends each


_ending = _Ending()


def begin() -> None:
    """Watch for signals from now on; one that the process was told to ignore when it was started stays ignored."""
    _ending.process = os.getpid()
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _asked)
    sys.unraisablehook = _lost


def watching() -> bool:
    """Whether this process watches for signals, so that any other KeyboardInterrupt than ours is somebody else's."""
    return _ending.process == os.getpid()


def asked() -> int:
    """The exit code that a signal has asked for; 0 where none has."""
    return _ending.code


def words() -> str:
    """What to say of having been stopped; nothing where another process of the same command speaks."""
    if _ending.silent:
        return ""
    return "stopped; the same command goes on where it was stopped" if _ending.keeps else "stopped"


def keeps(what: bool) -> None:
    """Whether what is done is kept, so that the same command goes on with it."""
    _ending.keeps = what


def keep_silent() -> None:
    """Let another process of the same command speak."""
    _ending.silent = True


def ends_too(end: Callable[[], object]) -> None:
    """Another process works for this one, and this is what ends it."""
    _ending.helpers.append(end)


def follow(parent: int) -> None:
    """End soon after the process that started this one to work for it, however that ended."""
    import threading  # here, as signals are to be heeded before much is imported
    import time

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def end_helpers() -> None:
    """End every process that works for this one; that they die is no news any more."""
    if watching():
        signal.signal(signal.SIGCHLD, _expected)
    workers = sys.modules.get("multiprocessing")
    for end in (*_ending.helpers, *(child.kill for child in (workers.active_children() if workers else ()))):
        end()


def leave(code: int) -> None:
    """End what works for this process, and then the process itself where it watches for signals.

    Nothing is cleared up on the way: a loader would wait for its workers, which are gone and may have kept a lock.
    """
    end_helpers()
    if watching():
        sys.stdout.flush()
        os._exit(code)


def at_once() -> None:
    """From now on end at once: there is nothing left to let go, and nobody who would catch an exception."""
    for number in SIGNALS:
        if signal.getsignal(number) == _asked:
            signal.signal(number, _now)


def _asked(number: int, frame: FrameType | None) -> None:
    at_once()
    signal.signal(signal.SIGCHLD, _expected)  # a loader raises an error, wherever we are, for each worker that dies
    _ending.code = 128 + number
    if os.getpid() != _ending.process or _importing(frame):
        _now(number, frame)
    raise Stopped(number)


def _now(number: int, _frame: FrameType | None = None) -> None:
    code = _ending.code or 128 + number
    if os.getpid() == _ending.process:
        end_helpers()
        shown = _SHOW_CURSOR if os.isatty(2) else b""
        with suppress(OSError):
            os.write(2, shown + words().encode() + b"\n" * bool(words()))
    os._exit(code)


def _expected(_number: int, _frame: FrameType | None) -> None:
    """Not SIG_DFL, of which Python complains where the signal came just before."""


def _importing(frame: FrameType | None) -> bool:
    """Whether a module is half imported: much of what imports takes an exception for a module that is not there."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def _lost(error: "sys.UnraisableHookArgs") -> None:
    """Python throws away what is raised while it clears up after an object."""
    if isinstance(error.exc_value, Stopped):
        _now(error.exc_value.code - 128)
    sys.__unraisablehook__(error)
