"""How much is read of files, whoever wrote them: regular files alone, and what fits a stated budget.

What a file unpacks to may be sixteen times as long as the file, or `memory` bytes, whichever is more: files of a few
bytes that stand for endless ones are refused before they are unpacked, and large ones are read as they are. The parts
of a sparse file that are not on the disk count for nothing.
"""

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from pellucid.errors import DataError, PellucidError

MEMORY = 2**30
"""Bytes that any file may unpack to, however short it is."""

SETTINGS = 2**20
"""Bytes that settings may have, which people write."""

JSON = 2**26
"""Bytes that a JSON file of ours may have; a value takes some twenty times as much in memory as in writing."""

LEDGER = 2**28
"""Bytes that a ledger may have: two million lines and more."""

PIXELS = 2**26
"""Pixels that a picture may have, as one of 8192 x 8192 does."""

NETWORK = 2**33
"""Bytes that the weights of a listed network may have."""

CLASSES = 2**16
"""Classes that data may have."""

RATIO = 16
"""So many times as long as the file is may be what it unpacks to."""

_BLOCK = 512
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def opened(path: Path) -> BufferedReader:
    """A regular file to read from, also by a link; anything else is refused without waiting for who writes to it."""
    try:
        # a pipe would be waited for, and a terminal become ours
        file = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), "rb")  # noqa: PTH123, SIM115
    except IsADirectoryError as error:
        raise _irregular(path, "a folder") from error
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise _irregular(path, "a socket") from error
        raise DataError(f"cannot read '{path}': {error.strerror}; give a file that you may read") from error
    except ValueError as error:  # no file has such a name
        raise DataError(f"cannot read '{path}': it is no name of a file; give another") from error
    kind = stat.S_IFMT(os.fstat(file.fileno()).st_mode)
    if kind != stat.S_IFREG:
        file.close()
        raise _irregular(path, _KINDS.get(kind, "something else"))
    return file


def room(file: BufferedReader, memory: int = MEMORY) -> int:
    """How many bytes an open file may unpack to."""
    known = os.fstat(file.fileno())
    return max(memory, RATIO * min(known.st_size, known.st_blocks * _BLOCK))


def size(file: BufferedReader) -> int:
    """How long an open file is."""
    return os.fstat(file.fileno()).st_size


def check(needed: int, allowed: int, place: str, remedy: str) -> None:
    """Refuse what needs more bytes than are allowed, before any of them is asked for."""
    if needed > allowed:
        raise DataError(f"{place} stands for {shown(needed)}, more than the {shown(allowed)} that it may; {remedy}")


def read(path: Path, memory: int = MEMORY, most: int = 0) -> bytes:
    """The content of a file, which may have as many bytes as a file may unpack to, or `most`."""
    with opened(path) as file:
        length, allowed = size(file), most or room(file, memory)
        check(length, allowed, f"'{path}'", "give one that has its content on the disk")
        content = file.read(length + 1)
        if len(content) > length:  # it has grown since, or is one of those that do not know their size
            content += file.read(allowed + 1 - len(content))
    check(len(content), allowed, f"'{path}'", "give one that has its content on the disk")
    return content


@contextmanager
def reading(source: object) -> Generator[None]:
    """What the machine says of a file or folder that cannot be read, in one line that names it."""
    try:
        yield
    except PellucidError:
        raise
    except OSError as error:
        raise DataError(f"cannot read '{source}': {error.strerror or error}; give what you may read") from error
    except ValueError as error:
        if "null" not in str(error):
            raise
        raise DataError(f"cannot read '{source}': it is no name of a file; give another") from error
    except MemoryError as error:
        raise _too_much(source) from error
    except RuntimeError as error:
        if "home directory" in str(error):  # of a user who is none here
            raise DataError(f"'{source}' begins with no user's folder; write it out") from error
        if not any(words in str(error) for words in _NO_MEMORY):
            raise
        raise _too_much(source) from error


def shown(count: int) -> str:
    """A number of bytes as people read it.

    >>> shown(634), shown(2**30), shown(1605300000000)
    ('634 bytes', '1 GiB', '1.46 TiB')
    """
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
    power = min((count.bit_length() - 1) // 10, len(units) - 1) if count else 0
    return f"{count / 1024**power:.3g} {units[power]}" if count < 2**80 else f"2^{count.bit_length() - 1} bytes"


_NO_MEMORY = ("can't allocate memory", "not enough memory")  # in torch's words


def _too_much(source: object) -> DataError:
    return DataError(f"'{source}' needs more memory than there is; give a part of it, or smaller images")


def _irregular(path: Path, kind: str) -> DataError:
    return DataError(f"'{path}' is {kind}, no regular file; give a file, or a link to one")


def ran_out(error: BaseException) -> bool:
    """Whether the machine has no memory or no open files left, which says nothing of the file that was read."""
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _SCARCE)


_SCARCE = (errno.ENOMEM, errno.EMFILE, errno.ENFILE)
