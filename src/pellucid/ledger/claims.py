"""Who works on which chunk: a file for each that somebody has claimed, so that each is made once.

chunks/00003.claim     the machine and the process; locked while the process lives, touched every ten seconds

A claim goes with its process. On the same machine the lock tells that it is gone; of another machine, where locks may
not be seen, a claim whose file has not been touched for a minute is taken over. Should its holder live nevertheless,
a chunk is made twice, and is the same.
"""

import os
import platform
import time
from _thread import start_new_thread
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock

from pellucid import files

STALE = 60.0  # seconds after which nobody is thought to be at work on another machine
_BEAT = 10.0


class Claims:
    """The claims of one process on the chunks in a folder; they are given up by `close`."""

    def __init__(self, folder: Path, machine: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._machine = machine or _machine()
        self._clock = clock
        self._held: dict[str, files.Claim] = {}
        self._seen: dict[tuple[str, str, int], float] = {}  # what others' claims were, and since when
        self._ended = Event()
        self._beating = Lock()  # a handle that is closed may be of another file at once

    def take(self, name: str) -> bool:
        """Claim a chunk; not where somebody else has it."""
        files.inner_folder(self._folder)
        claim = files.claimed(
            self._folder / f"{name}.claim",
            f"{self._machine} {os.getpid()}",
            lambda holder, touched: self._gone(name, holder, touched),
        )
        if claim is not None:
            if not self._held:
                self._ended = Event()
                # not by `threading`, since what a network changed is put back only where no other thread is counted
                start_new_thread(self._beat, (self._ended,))
            self._held[name] = claim
        return claim is not None

    def release(self, name: str) -> None:
        """Give a claim up, where it is ours."""
        claim = self._held.pop(name, None)
        if claim is not None:
            with self._beating:
                claim.release()
        if not self._held:
            self._ended.set()

    def close(self) -> None:
        """Give up all claims."""
        for name in list(self._held):
            self.release(name)

    def sweep(self) -> bool:
        """Remove what killed processes have left; whether nobody else is at work here."""
        alone = True
        for path in sorted(self._folder.glob("*.claim")):
            if path.stem in self._held:
                continue
            if self.take(path.stem):
                self.release(path.stem)
            else:
                alone = False
        return alone

    def _gone(self, name: str, holder: str, touched: int) -> bool:
        if holder.partition(" ")[0] in ("", self._machine):
            return True  # its lock would tell
        now = self._clock()
        # by our own clock alone: those of other machines, and of the disk, may be others
        return now - self._seen.setdefault((name, holder, touched), now) > STALE

    def _beat(self, ended: Event) -> None:
        while not ended.wait(_BEAT):
            with self._beating:
                for claim in list(self._held.values()):
                    claim.beat()


def _machine() -> str:
    """What only processes that see each other's locks have in common."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return platform.node() or "unknown"
