"""Files that are read back: each has a checksum in the ledger of its folder, and damage is found before it counts.

checksums.txt      a line for everything that was written here, `sha256  name`; it only grows

A line is written before its file has its name, so that a kill in between leaves the file before, for which an earlier
line vouches. A folder without a ledger was put together by somebody else: there is nothing to compare with.
"""

import hashlib
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from pellucid import files
from pellucid.errors import Damaged, FileError, PellucidError

LEDGER = "checksums.txt"
AGAIN = "remove it, and give the command that made it again"


def write(path: Path, content: bytes | str) -> None:
    """Write a file that will be read back, all of it or nothing."""
    content = content.encode() if isinstance(content, str) else content
    note(path, hashlib.sha256(content).hexdigest())
    files.write_bytes(path, content)


def write_json(path: Path, content: Any, *, indent: int = 2) -> None:
    """Write plain values that will be read back."""
    write(path, json.dumps(content, indent=indent) + "\n")


def read(path: Path, remedy: str = AGAIN) -> bytes:
    """What was written to a file, or an error that says that it is damaged and what to do."""
    content = files.read_bytes(path)
    _compare(path, lambda: hashlib.sha256(content).hexdigest(), remedy)
    return content


def read_json(path: Path, remedy: str = AGAIN) -> dict[str, Any]:
    """The table in a JSON file, or an error that says that it is damaged and what to do."""
    with reading(path, remedy):
        content = json.loads(read(path, remedy))
        if not isinstance(content, dict):
            raise TypeError(f"it holds a {type(content).__name__}, not a table")
        return cast("dict[str, Any]", content)


def check(path: Path, remedy: str = AGAIN) -> None:
    """Raise an error if a file is damaged; it is read in pieces, so it may be larger than memory."""
    _compare(path, lambda: files.checksum(path), remedy)


def sound(path: Path) -> bool:
    """Whether a file is there and holds what was written to it."""
    try:
        check(path)
    except (FileError, OSError):
        return False
    return path.is_file()


def note(path: Path, digest: str) -> None:
    """Vouch for content that is about to be written under a name, or to a part of a file by a name for that."""
    ledger = path.parent / LEDGER
    if digest in noted(path):
        return
    before = b""
    if ledger.exists():
        content = files.read_bytes(ledger)
        before = b"" if content.endswith(b"\n") or not content else b"\n"  # a kill may have cut the last line
    files.append(ledger, before + f"{digest}  {path.name}\n".encode())


def noted(path: Path) -> frozenset[str]:
    """All checksums that the ledger has under a name."""
    ledger = path.parent / LEDGER
    try:
        known = ledger.lstat()
    except OSError:
        return frozenset()
    return _lines(ledger, known.st_ino, known.st_size, known.st_mtime_ns).get(path.name, frozenset())


@contextmanager
def reading(path: Path, remedy: str = AGAIN) -> Generator[None]:
    """Whatever goes wrong while the content of a file is taken apart is damage, and said in one line."""
    try:
        yield
    except (PellucidError, MemoryError):
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
        raise Damaged(f"'{path}' is damaged ({told}); {remedy}") from error


@lru_cache(maxsize=64)
def _lines(ledger: Path, _inode: int, _size: int, _changed: int) -> dict[str, frozenset[str]]:
    known: dict[str, frozenset[str]] = {}
    for line in files.read_bytes(ledger).decode(errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        known[name] = known.get(name, frozenset()) | {digest}
    return known


def _compare(path: Path, digest: Callable[[], str], remedy: str) -> None:
    if not (path.parent / LEDGER).exists():
        return
    if digest() not in noted(path):
        raise Damaged(f"'{path}' is damaged: it is not as it was written (see {LEDGER} beside it); {remedy}")
