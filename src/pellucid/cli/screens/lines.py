"""How far a long work is where there is no terminal to draw a bar on: a line now and then."""

import threading
import time

from rich.console import Console

from pellucid.durations import time_in_words
from pellucid.ledger import Progress
from pellucid.printable import printable

EVERY = 10.0  # seconds


class Lines:
    """A line every ten seconds, while the block lasts, with what was last heard; also where nothing new is heard.

    What is told between two lines and is over by then is not printed. A total of 0 is one that nobody knows.
    """

    def __init__(self, console: Console, every: float | None = None) -> None:
        self._console, self._every = console, EVERY if every is None else every
        self._step: Progress | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._speak, name="progress", daemon=True)

    def __call__(self, step: Progress) -> None:
        """Hear how far it is."""
        self._step = step

    def __enter__(self) -> "Lines":
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _speak(self) -> None:
        while not self._ended.wait(self._every):
            so_far = time_in_words(time.monotonic() - self._began)
            self._console.print(f"{_said(self._step)}{so_far} so far" if self._step else f"{so_far} so far")


def _said(step: Progress) -> str:
    words = f"{step.doing}, {step.words}" if step.words else step.doing
    return printable(f"{words}: {step.done:,} of {step.total:,}, " if step.total else f"{words}: ")
