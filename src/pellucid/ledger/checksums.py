"""Files that are read back: each has a checksum in the ledger of its folder, and damage is found before it counts.

checksums.txt      a line for everything that was written here, `sha256  name`; it only grows

A line is written before its file has its name, so that a kill in between leaves the file before, for which an earlier
line vouches. A folder without a ledger was put together by somebody else: there is nothing to compare with.

Who goes on with a work says what is damaged and makes it again (`telling`, `kept`); who only reads is told how.
What is longer than such a file may be is damaged too, and found before any of it is read.
"""

import hashlib
import io
import json
import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pellucid import files, limits
from pellucid.errors import Damaged, DataError, FileError, PellucidError

if TYPE_CHECKING:  # what is text is read without numpy
    import numpy

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
    import numpy

    buffer = io.BytesIO()
    numpy.savez_compressed(buffer, **arrays)  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()


def read(path: Path, remedy: str = AGAIN, *, most: int = 0) -> bytes:
    """What was written to a file, or an error that says that it is damaged and what to do.

    It may have `most` bytes, or as many as any file (see `pellucid.limits`).
    """
    with _fitting(path, remedy, most) as file:
        content = file.read()
    _compare(path, lambda: hashlib.sha256(content).hexdigest(), remedy)
    return content


def read_json(path: Path, remedy: str = AGAIN) -> dict[str, Any]:
    """The table in a JSON file, or an error that says that it is damaged and what to do."""
    with reading(path, remedy):
        content = json.loads(read(path, remedy, most=limits.JSON))
        if not isinstance(content, dict):
            raise TypeError(f"it holds a {type(content).__name__}, not a table")
        return cast("dict[str, Any]", content)


def read_arrays(path: Path, remedy: str = AGAIN) -> "dict[str, numpy.ndarray]":
    """The arrays in an `.npz` file, or an error that says that it is damaged and what to do."""
    from pellucid import npz

    content = read(path, remedy)
    try:
        return npz.unpacked(io.BytesIO(content), max(limits.MEMORY, limits.RATIO * len(content)), f"'{path}'")
    except DataError as error:
        raise Damaged(f"'{path}' is damaged ({str(error).partition('; ')[0]}); {remedy}") from error


def check(path: Path, remedy: str = AGAIN) -> None:
    """Raise an error if a file is damaged; it is read in pieces, so it may be larger than memory."""
    _compare(path, lambda: checksum(path, remedy), remedy)


def checksum(path: Path, remedy: str = AGAIN) -> str:
    """The checksum of a file of ours, read in pieces; one that is mostly a hole is damaged, and not read at all."""
    with _fitting(path, remedy) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sound(path: Path) -> bool:
    """Whether a file is there and holds what was written to it."""
    return path.is_file() and not fault_of(path)


def kept(path: Path) -> bool:
    """Whether a file can be gone on with; where it is damaged that is said, and whoever asks makes it again."""
    with telling():
        if path.is_file():
            check(path, MADE_AGAIN)
            return True
    return False


def faults_below(folder: Path, remedy: str = AGAIN) -> list[str]:
    """What is damaged in a folder and below, a line for each file; what is gone counts as removed."""
    names = [
        (ledger.parent, name) for ledger in sorted(folder.rglob(LEDGER)) for name in sorted(_ledger(ledger).names)
    ]
    paths = [place / name for place, name in names if name == Path(name).name]  # a damaged name could lead anywhere
    return [fault for path in paths if path.is_file() and (fault := fault_of(path, remedy))]


def fault_of(path: Path, remedy: str = AGAIN) -> str:
    """What is wrong with a file, in one line; nothing where it is as it was written."""
    try:
        check(path, remedy)
    except FileError as error:
        return str(error)
    return ""


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
    if digest in noted(path):
        return
    ledger = path.parent / LEDGER
    known = _ledger(ledger)
    before = "" if known.whole else "\n"  # a kill may have cut the last line
    line = f"{before}{digest}  {path.name}\n".encode()
    files.append(ledger, line)
    known.add(path.name, digest, _state(ledger), len(line))


def noted(path: Path) -> frozenset[str]:
    """The checksums that the ledger has under a name."""
    return _ledger(path.parent / LEDGER).names.get(path.name, frozenset())


@contextmanager
def reading(path: Path, remedy: str = AGAIN) -> Generator[None]:
    """Whatever goes wrong while the content of a file is taken apart is damage, and said in one line."""
    try:
        yield
    except PellucidError:
        raise
    except Exception as error:
        if limits.ran_out(error):
            raise
        told = f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
        raise Damaged(f"'{path}' is damaged ({told}); {remedy}") from error


@dataclass
class _Ledger:
    # of the file when it was read, or nothing: inode, length, time of the last change
    state: tuple[int, int, int] = (0, 0, 0)
    names: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    whole: bool = True

    def add(self, name: str, digest: str, state: tuple[int, int, int], length: int) -> None:
        # a long ledger is not read again for every line of our own; what others added at the same time would lack
        if state[:2] == (self.state[0] or state[0], self.state[1] + length):
            self.names[name] = self.names.get(name, frozenset()) | {digest}
            self.state, self.whole = state, True


_ledgers: dict[Path, _Ledger] = {}
_KEPT = 64


def _ledger(path: Path) -> _Ledger:
    state = _state(path)
    known = _ledgers.get(path)
    if known is None or known.state != state:
        known = _Ledger(state)
        if state[0]:
            with _fitting(path, AGAIN, limits.LEDGER) as file:
                content = file.read()
            known.whole = content.endswith(b"\n") or not content
            for line in content.decode(errors="replace").splitlines():
                digest, _, name = line.partition("  ")
                known.names[name] = known.names.get(name, frozenset()) | {digest}
        if len(_ledgers) >= _KEPT:
            _ledgers.clear()
        _ledgers[path] = known
    return known


def _state(path: Path) -> tuple[int, int, int]:
    try:
        known = path.lstat()
    except OSError:
        return (0, 0, 0)
    return known.st_ino, known.st_size, known.st_mtime_ns


@contextmanager
def _fitting(path: Path, remedy: str, most: int = 0) -> Generator[io.BufferedReader]:
    """An open file that is no longer than it may be."""
    with files.reading(path) as file:
        size, allowed = limits.size(file), most or limits.room(file)
        if size > allowed:
            told = f"it has {limits.shown(size)}, more than the {limits.shown(allowed)} that it may"
            raise Damaged(f"'{path}' is damaged: {told}; {remedy}")
        yield file


def _compare(path: Path, digest: Callable[[], str], remedy: str) -> None:
    if not (path.parent / LEDGER).exists():
        return
    if digest() not in noted(path):
        raise Damaged(f"'{path}' is damaged: it is not as it was written (see {LEDGER} beside it); {remedy}")
