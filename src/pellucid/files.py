"""Writing files so that a reader, a power cut or another process never sees half of one, and reading them safely.

Nothing here follows a symbolic link where the name is ours: a folder that somebody else packed could lead anywhere.
"""

import errno
import fcntl
import hashlib
import io
import json
import math
import os
import secrets
import stat
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from pellucid.errors import FileError, RunBusy

_UNFINISHED = ".unfinished"
_NEW = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_REMEDIES = {
    errno.ENOSPC: "make room, then give the same command again",
    errno.EDQUOT: "make room, then give the same command again",
    errno.EROFS: "give a folder that can be written to",
    errno.EACCES: "give a folder that you may write to",
    errno.EPERM: "give a folder that you may write to",
    errno.ENOTDIR: "a file stands where a folder should be; give another folder",
    errno.EEXIST: "a file stands where a folder should be; give another folder",
    errno.EISDIR: "a folder stands where the file should be; give another name",
    errno.ELOOP: "it is a symbolic link, which is never followed here; remove it",
    errno.ENAMETOOLONG: "give a shorter name",
}

Write = Callable[[bytes | memoryview], None]


@contextmanager
def replacing(path: Path) -> Generator[Write]:
    """What writes a file that takes the place of `path` when the block ends, or leaves no trace if it fails."""
    with writing(path):
        handle, unfinished = _unfinished(path.parent)
        try:
            try:
                yield lambda content: _write(handle, content)
                os.fsync(handle)
                os.replace(unfinished, path)  # noqa: PTH105 - every change of the disk goes through `os`, where tests make it fail
            finally:
                os.close(handle)  # not before: the lock on it tells others that somebody is at work
        except BaseException:
            with suppress(OSError):
                os.unlink(unfinished)  # noqa: PTH108
            raise
        _sync_folder(path.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, all of it or nothing."""
    with replacing(path) as write:
        write(content)


def write_text(path: Path, content: str) -> None:
    """Write `content` to `path` as UTF-8, all of it or nothing; bytes of a name that are no UTF-8 are spelled out."""
    write_bytes(path, content.encode(errors="backslashreplace"))


def append(path: Path, content: bytes, at: int | None = None) -> None:
    """Add to the end of a file, or where it was `at` bytes long, so that it is there after a power cut too."""
    with writing(path):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_APPEND, 0o666)
        try:
            _refuse_links(handle)
            if at is not None:
                if os.fstat(handle).st_size < at:
                    raise FileError(f"'{path}' has become shorter than it was; give the same command again")
                os.ftruncate(handle, at)
            _write(handle, content)
            os.fsync(handle)
        finally:
            os.close(handle)


def write_at(path: Path, content: bytes, at: int) -> None:
    """Write into a file from some byte on, so that it is there after a power cut too."""
    with writing(path):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            _refuse_links(handle)
            os.lseek(handle, at, os.SEEK_SET)
            _write(handle, content)
            os.fsync(handle)
        finally:
            os.close(handle)


class Growing:
    """A file that is open to be added to."""

    def __init__(self, handle: int, path: Path) -> None:
        self._handle = handle
        self._path = path

    @property
    def size(self) -> int:
        """The length of the file in bytes."""
        return os.fstat(self._handle).st_size

    def cut(self, length: int) -> None:
        """Drop what comes after so many bytes."""
        with writing(self._path):
            os.ftruncate(self._handle, length)

    def write(self, content: bytes) -> None:
        """Add bytes to the end of the file."""
        with writing(self._path):
            _write(self._handle, content)

    def sync(self) -> None:
        """See to it that all of it is there after a power cut."""
        with writing(self._path):
            os.fsync(self._handle)


@contextmanager
def growing(path: Path) -> Generator[Growing]:
    """A file of a name of ours to add to; another process that does so is waited for."""
    with writing(path):
        while True:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_APPEND, 0o666)
            try:
                _refuse_links(handle)
                fcntl.flock(handle, fcntl.LOCK_EX)
            except BaseException:
                os.close(handle)
                raise
            if _is_called(handle, path):
                break
            os.close(handle)  # whoever was waited for has removed it, or given it another name
    try:
        yield Growing(handle, path)
    finally:
        os.close(handle)


def _is_called(handle: int, path: Path) -> bool:
    """Whether an open file still has this name, which others may take away at any moment."""
    try:
        named = path.lstat()
    except FileNotFoundError:
        return False
    return os.path.samestat(named, os.fstat(handle))


def rename(path: Path, name: Path) -> None:
    """Give a file that is written another name in its folder."""
    with writing(name):
        os.replace(path, name)  # noqa: PTH105
        _sync_folder(name.parent)


def remove(path: Path) -> None:
    """Remove a file, where there is one."""
    with writing(path, "remove"), suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108


def remove_folder(path: Path) -> None:
    """Remove a folder, where there is one and nothing is in it."""
    with writing(path, "remove"):
        try:
            os.rmdir(path)  # noqa: PTH106
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTEMPTY):
                raise


def make_folder(path: Path) -> Path:
    """The folder that somebody named, made where it is not there."""
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


def inner_folder(path: Path) -> Path:
    """A folder by a name of ours inside one that somebody named; a link in its place is refused."""
    make_folder(path.parent)
    with writing(path):
        with suppress(FileExistsError):
            os.mkdir(path)  # noqa: PTH102
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            raise OSError(errno.ELOOP if path.is_symlink() else errno.ENOTDIR, "it is no folder")
    return path


@contextmanager
def reading(path: Path) -> Generator[io.BufferedReader]:
    """A regular file to read; a pipe or a device in its place would never end."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise FileError(f"'{path}' is no regular file; give one that is")
            yield file
    except OSError as error:
        raise FileError(f"cannot read '{path}': {error.strerror}") from error


@contextmanager
def writing(path: Path, doing: str = "write") -> Generator[None]:
    """Say in one line that a file cannot be written, and what to do."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "mend that, then give the same command again")
        raise FileError(f"cannot {doing} '{path}': {error.strerror}; {remedy}") from error


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
    """Remove what processes that were killed left half written, in the folder and below.

    What somebody still writes is locked, and stays.
    """
    for path in folder.rglob(f".*{_UNFINISHED}"):
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(path)  # noqa: PTH108
            finally:
                os.close(handle)


@contextmanager
def locked(folder: Path, *, wait: bool = False) -> Generator[None]:
    """Keep other processes out of a folder of ours while the block runs; the lock goes with the process.

    Another one that is in it already is an error, or waited for.
    """
    inner_folder(folder)
    path = folder / ".lock"
    with writing(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
    try:
        with writing(path):
            _refuse_links(handle)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as error:
                holder = os.pread(handle, 20, 0).decode("ascii", "replace")
                who = f"process {holder}" if holder.isdigit() else "another process"
                raise RunBusy(f"{folder} is in use by {who}; wait for it, or end it") from error
            os.ftruncate(handle, 0)
            _write(handle, str(os.getpid()).encode())
        if not wait:  # whoever waits comes often
            clear_unfinished(folder)
        yield
    finally:
        os.close(handle)


class Claim:
    """A file that says who works on something; it is locked as long as its process lives."""

    def __init__(self, handle: int, path: Path) -> None:
        self._handle = handle
        self._path = path

    def beat(self) -> None:
        """Show other machines that somebody is still at work, by the time of the file."""
        with suppress(OSError):
            os.utime(self._handle)

    def release(self) -> None:
        """Give the claim up."""
        with suppress(OSError):
            os.unlink(self._path)  # noqa: PTH108
        os.close(self._handle)


def claimed(path: Path, holder: str, gone: Callable[[str, int], bool]) -> Claim | None:
    """Claim something by a file of a name of ours, or nothing where somebody else has it.

    `gone` is asked about a claim that nobody on this machine has locked: by its holder, and the time of its file.
    """
    with writing(path, "claim"):
        try:
            handle, new = os.open(path, os.O_RDWR | _NEW, 0o666), True
        except FileExistsError:
            try:
                handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
            except FileNotFoundError:  # it was given up in this moment
                return None
            new = False
        except FileNotFoundError:  # an empty folder goes with whoever leaves it last
            return None
        kept = False
        try:
            if os.fstat(handle).st_nlink:
                _refuse_links(handle)
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                known = os.fstat(handle)
                theirs = os.pread(handle, 200, 0).decode("ascii", "replace")
                if known.st_nlink and (new or gone(theirs, known.st_mtime_ns)):
                    os.ftruncate(handle, 0)
                    os.pwrite(handle, holder.encode(), 0)
                    kept = True
                    return Claim(handle, path)
        except BlockingIOError:
            pass
        finally:
            if not kept:
                os.close(handle)
    return None


def checksum(path: Path, algorithm: str = "sha256") -> str:
    """The hexadecimal digest of a file."""
    with reading(path) as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _unfinished(folder: Path) -> tuple[int, Path]:
    """A new file to write, locked as long as it is open, so that nobody takes it for what a killed process left."""
    while True:
        path = folder / f".{secrets.token_hex(8)}{_UNFINISHED}"
        handle = os.open(path, os.O_WRONLY | _NEW, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # somebody who clears up was faster
            os.close(handle)
            continue
        except OSError:  # a file system without locks, where nobody can clear up either
            return handle, path
        if os.fstat(handle).st_nlink:
            return handle, path
        os.close(handle)


def _write(handle: int, content: bytes | memoryview) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _refuse_links(handle: int) -> None:
    """A second name of a file leads elsewhere as a symbolic link does, and a pipe leads nowhere."""
    known = os.fstat(handle)
    if not stat.S_ISREG(known.st_mode) or known.st_nlink > 1:
        raise OSError(errno.ELOOP, "it is no file of its own")


def _sync_folder(folder: Path) -> None:
    # without this the new name itself can be lost in a power cut
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
