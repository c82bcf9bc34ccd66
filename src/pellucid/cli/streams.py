"""Standard output and standard error, which may be full, closed or cut off by who reads them, at any time.

Work is worth more than what is said of it: it goes on, and the exit code tells that something was not printed.
"""

import io
import os
import sys
from typing import TextIO

from pellucid.cli.audit import FALLS_SHORT


class _Stream(io.FileIO):
    """A stream of which what cannot be written is left out."""

    lost = ""
    """Why something was left out."""

    def judged(self, code: int) -> int:
        """The exit code of a command whose output this was; what failed for another reason has said so."""
        if self.lost and code in (0, FALLS_SHORT):
            remedy = "give it another place, then the same command again"
            print(f"error: cannot write to standard output: {self.lost}; {remedy}", file=sys.stderr, flush=True)
        return code or int(self.lost != "")

    def write(self, content: bytes, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Write what can be written."""
        try:
            return super().write(content) or 0
        except OSError as error:
            self.lost = error.strerror or type(error).__name__
            return len(content)


def open_streams() -> _Stream:
    """Put streams that never fail in the places of both; standard output is returned, which knows what it lost."""
    closed = _fill()
    out, err = _Stream(1, "w", closefd=False), _Stream(2, "w", closefd=False)
    if 1 in closed:
        out.lost = "it is closed"
    sys.stdout, sys.stderr = _text(out, sys.stdout), _text(err, sys.stderr)
    return out


def _fill() -> list[int]:
    """Standard streams that were closed; something is put there, lest the next file be taken for one of them."""
    closed: list[int] = []
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            closed.append(number)
            os.open(os.devnull, os.O_RDWR)
    return closed


def _text(stream: _Stream, before: TextIO | None) -> TextIO:
    """The text of a stream; what its encoding has no signs for is spelled out."""
    encoding = before.encoding if before is not None else "utf-8"
    return io.TextIOWrapper(
        io.BufferedWriter(stream),  # pyright: ignore[reportArgumentType]
        encoding,
        "backslashreplace",
        line_buffering=stream.isatty() or stream.fileno() == 2,
    )
