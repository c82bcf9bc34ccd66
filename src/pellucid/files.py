"""Writing files so that a reader, or a power cut, never sees half of one."""

import fcntl
import hashlib
import json
import math
import os
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from pellucid.errors import RunBusy

_UNFINISHED = ".unfinished"


@contextmanager
def replacing(path: Path) -> Generator[IO[bytes]]:
    """A file to write that takes the place of `path` when the block ends, or leaves no trace if it fails."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_UNFINISHED)
    try:
        os.fchmod(handle, 0o644)  # as other files are, not for the owner's eyes only
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, all of it or nothing."""
    with replacing(path) as file:
        file.write(content)


def write_text(path: Path, content: str) -> None:
    """Write `content` to `path` as UTF-8, all of it or nothing."""
    write_bytes(path, content.encode())


def json_text(content: Any) -> str:
    """JSON that every program can read, which knows no endless number: a setting of that size is the word "inf".

    NaN is refused: what has no value is null, with the reason beside it.
    """
    return json.dumps(_worded(content), indent=2, allow_nan=False)


def _worded(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {name: _worded(entry) for name, entry in cast("Mapping[Any, Any]", content).items()}
    if isinstance(content, list | tuple):
        return [_worded(entry) for entry in cast("Sequence[Any]", content)]
    return str(content) if isinstance(content, float) and math.isinf(content) else content


def clear_unfinished(folder: Path) -> None:
    """Remove what processes that were killed left half written, in the folder and below."""
    for path in folder.rglob(f".*{_UNFINISHED}"):
        path.unlink()


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Keep other processes out of a folder while the block runs; the lock goes with the process."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise RunBusy(f"{folder} is in use by process {file.read()}; wait for it, or end it") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        clear_unfinished(folder)
        yield


def checksum(path: Path, algorithm: str = "sha256") -> str:
    """The hexadecimal digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _sync_folder(folder: Path) -> None:
    # without this the new name itself can be lost in a power cut
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
