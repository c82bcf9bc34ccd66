"""What becomes of an input: nothing, an error of ours in one line, or a failure."""

import hashlib
import time
import traceback
import unicodedata
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pellucid.errors import PellucidError
from pellucid.printable import printable

CORPUS = Path(__file__).parent.parent / "corpus"
LONGEST = 4100  # letters of an error
_SLOW = 1.0  # seconds of an input, by the clock of this process alone

Read = Callable[[bytes, Path], object]


@dataclass
class Tally:
    """How many inputs there were, and those that failed, by where they did."""

    inputs: int = 0
    refused: int = 0
    seconds: float = 0.0
    failures: dict[str, bytes] = field(default_factory=dict[str, bytes])


def fault(read: Read, content: bytes, scratch: Path) -> tuple[bool, str]:
    """Whether an input is refused; and what goes wrong with it that must not, if anything does."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(content, scratch)
    except PellucidError as error:
        words = printable(str(error))  # as it is shown
        odd = [letter for letter in words if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")]
        if odd or not words or len(words) > LONGEST:
            return True, f"an error that is no line: {words[:80]!r} ... {odd[:3]!r} ({len(words)} letters)"
        return True, ""
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        places = [f"{Path(one.filename).name}:{one.lineno}" for one in traceback.extract_tb(error.__traceback__)]
        return True, f"{type(error).__name__} at {' < '.join(places[::-1][:4])}: {str(error)[:80]}"
    return False, ""


def run(read: Read, inputs: Iterable[bytes], scratch: Path, tally: Tally, *, timed: bool = False) -> Tally:
    """Try them all, and keep one input of each way to fail."""
    for content in inputs:
        began = time.process_time()
        refused, words = fault(read, content, scratch)
        took = time.process_time() - began
        if not words and timed and took > _SLOW:
            words = f"slow: more than {_SLOW} s"
        tally.inputs += 1
        tally.refused += refused
        tally.seconds += took
        if words:
            tally.failures.setdefault(words.partition(": ")[0], content)
    return tally


def known(name: str) -> list[bytes]:
    """The corpus of a target: what it was begun with, and what once failed."""
    folder = CORPUS / name
    return [path.read_bytes() for path in sorted(folder.iterdir())] if folder.is_dir() else []


def keep(name: str, content: bytes) -> Path:
    """Put an input into the corpus."""
    path = CORPUS / name / f"failed-{hashlib.sha256(content).hexdigest()[:12]}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
