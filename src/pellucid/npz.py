"""Plain numbers in numpy's files, whose headers are compared with what is there before anything is allocated."""

import math
import zipfile
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any

import numpy
from numpy.lib import format as npy
from numpy.typing import NDArray

from pellucid import limits
from pellucid.errors import DataError

_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # as numpy does it
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_npz(path: Path, memory: int = limits.MEMORY) -> dict[str, NDArray[Any]]:
    """The arrays in a .npz file, by name."""
    with limits.opened(path) as file:
        return unpacked(file, limits.room(file, memory), f"'{path}'")


def read_any(path: Path, memory: int = limits.MEMORY) -> dict[str, NDArray[Any]]:
    """The arrays in a .npz file, or the one in a .npy file, which has no name."""
    with limits.opened(path) as file:
        room, single = limits.room(file, memory), file.read(len(_MAGIC)) == _MAGIC
        file.seek(0)
        return (
            {"": _array(file, limits.size(file), room, f"'{path}'")} if single else unpacked(file, room, f"'{path}'")
        )


def unpacked(file: BufferedReader | BytesIO, room: int, place: str) -> dict[str, NDArray[Any]]:
    """The same from a file that is open, or from bytes; `place` is what errors call it."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            # what each says of its length holds: a member that goes on is cut off there
            limits.check(sum(member.file_size for member in members), room, place, _SMALLER)
            found = dict[str, NDArray[Any]]()
            for member in members:
                name = member.filename.removesuffix(".npy")
                if name == member.filename or member.compress_type not in _PACKED:
                    raise DataError(f"{place} holds things that are no arrays; write it again with numpy.savez")
                with archive.open(member) as content:
                    found[name] = _array(content, member.file_size, room, f"'{name}' in {place}")
            return found
    except DataError:
        raise
    except Exception as error:  # damaged archives make the reader fail in every way there is
        raise DataError(f"{place} is cut short, or is no .npz file; write it again with numpy.savez") from error


def _array(file: Any, length: int, room: int, place: str) -> NDArray[Any]:
    try:
        shape, _, kind = _HEADERS[npy.read_magic(file)](file)
        start = file.tell()
    except Exception as error:  # likewise headers, which are Python's own notation
        raise DataError(f"{place} is cut short, or no .npy file; write it again with numpy.save") from error
    if kind.hasobject:
        raise DataError(f"{place} holds a pickle, which could run code; save plain arrays of numbers")
    if kind.names or kind.subdtype or any(axis < 0 for axis in shape) or len(shape) > _AXES:
        raise DataError(f"{place} holds no plain array; save numbers")
    # an axis of no entries or a kind of no bytes must not hide another that is endless
    limits.check(math.prod(max(axis, 1) for axis in shape) * max(kind.itemsize, 1), room, place, _SMALLER)
    promised = math.prod(shape) * kind.itemsize
    if promised != length - start:
        raise DataError(
            f"{place} has {length - start} bytes where its header promises {promised}; write it again with numpy.save"
        )
    file.seek(0)
    try:
        return _letters(npy.read_array(file, allow_pickle=False))
    except MemoryError as error:
        raise DataError(f"{place} needs {limits.shown(promised)} of memory, which is not there; free some") from error
    except Exception as error:
        raise DataError(f"{place} is damaged; write it again with numpy.save") from error


def _letters(array: NDArray[Any]) -> NDArray[Any]:
    """The same, unless it is text of what are no letters: Python would build text from them that breaks it."""
    if array.dtype.kind == "U" and array.size and array.itemsize:
        codes = numpy.ascontiguousarray(array.astype(array.dtype.newbyteorder("="))).reshape(-1).view(numpy.uint32)
        halves = (codes >= _HALVES[0]) & (codes <= _HALVES[1])
        halves &= (codes < _BYTES[0]) | (codes > _BYTES[1])
        if bool(((codes > _LAST) | halves).any()):
            raise ValueError("codes beyond Unicode")
    return array


_LAST, _HALVES = 0x10FFFF, (0xD800, 0xDFFF)
_BYTES = (0xDC80, 0xDCFF)  # as Python writes the names of files that are not in UTF-8
_AXES = 16
_MAGIC = b"\x93NUMPY"
_SMALLER = "save it without compression, or give more memory where that can be set"
