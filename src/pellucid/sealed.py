"""Files that are read back: each has a checksum in the ledger of its folder, and damage is found before it counts.

checksums.txt      a line for everything that was written here, `sha256  name`; it only grows

A line is written before its file has its name, so that a kill in between leaves the file before, for which an earlier
line vouches. A folder without a ledger was put together by somebody else: there is nothing to compare with.

Who goes on with a work says what is damaged and makes it again (`telling`, `kept`); who only reads is told how.
"""

import hashlib
import io
import json
import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy

from pellucid import files, limits, npz
from pellucid.errors import Damaged, DataError, FileError, PellucidError

LEDGER = "checksums.txt"
AGAIN = "remove it, and give the command that made it again"
MADE_AGAIN = "it is made again"


def write(path: Path, content: bytes | str) -> None:
    """Write a file that will be read back, all of it or nothing."""
    content = content.encode() if isinstance(content, str) else content
    note(path, hashlib.sha256(content).hexdigest())
    files.write_bytes(path, content)


def write_json(path: Path, content: Any, *, indent: int = 2) -> None:
    """Write plain values that will be read back."""
    write(path, json.dumps(content, indent=indent) + "\n")


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays that will be read back, as `.npz`."""
    write(path, packed(arrays))


def packed(arrays: Mapping[str, Any]) -> bytes:
    """Arrays as the content of an `.npz` file, the same bytes for the same arrays."""
    buffer = io.BytesIO()
    numpy.savez_compressed(buffer, **arrays)  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()


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


def read_arrays(path: Path, remedy: str = AGAIN) -> dict[str, numpy.ndarray]:
    """The arrays in an `.npz` file, or an error that says that it is damaged and what to do."""
    content = read(path, remedy)
    try:
        return npz.unpacked(io.BytesIO(content), max(limits.MEMORY, limits.RATIO * len(content)), f"'{path}'")
    except DataError as error:
        raise Damaged(f"'{path}' is damaged ({str(error).partition('; ')[0]}); {remedy}") from error


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


def kept(path: Path) -> bool:
    """Whether a file can be gone on with; where it is damaged that is said, and whoever asks makes it again."""
    with telling():
        if path.is_file():
            check(path, MADE_AGAIN)
            return True
    return False


def kept_below(folder: Path) -> bool:
    """Whether all that was written in a folder and below is there and can be gone on with."""
    known = [kept(path) for path in _vouched_for(folder)]  # all of them, since each one that is damaged is said
    return all(known)


def damaged_below(folder: Path, remedy: str = AGAIN) -> list[str]:
    """What is damaged in a folder and below, a line for each file."""
    found: list[str] = []
    for path in filter(Path.is_file, _vouched_for(folder)):
        try:
            check(path, remedy)
        except FileError as error:
            found.append(str(error))
    return found


@contextmanager
def telling() -> Generator[None]:
    """Say that a file is damaged, and go on without it."""
    try:
        yield
    except Damaged as error:
        warnings.warn(str(error), stacklevel=3)


def clear(folder: Path, pattern: str) -> None:
    """Remove the files in a folder of ours, and last what vouches for them."""
    if folder.exists():
        files.inner_folder(folder)  # which refuses a link, behind which somebody else's files lie
        for path in sorted(folder.glob(pattern)):
            files.remove(path)
        files.remove(folder / LEDGER)


def vouched(path: Path, content: bytes | str) -> bool:
    """Whether this content was written under a name before, even if it is damaged or gone by now."""
    content = content.encode() if isinstance(content, str) else content
    return hashlib.sha256(content).hexdigest() in noted(path)


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
    return _names(path.parent / LEDGER).get(path.name, frozenset())


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


def _vouched_for(folder: Path) -> list[Path]:
    return [ledger.with_name(name) for ledger in sorted(folder.rglob(LEDGER)) for name in sorted(_names(ledger))]


def _names(ledger: Path) -> Mapping[str, frozenset[str]]:
    try:
        known = ledger.lstat()
    except OSError:
        return {}
    return _lines(ledger, known.st_ino, known.st_size, known.st_mtime_ns)


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
