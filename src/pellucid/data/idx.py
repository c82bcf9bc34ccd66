"""The IDX format: a magic number, a size per axis, then big-endian numbers; plain or compressed with gzip."""

import gzip
import math
import struct
import zlib
from io import BufferedIOBase
from pathlib import Path

import numpy
import torch
from jaxtyping import Shaped
from torch import Tensor

from pellucid import limits
from pellucid.errors import DataError

_KINDS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_AXES = 16


def read_idx(path: Path, memory: int = limits.MEMORY) -> Shaped[Tensor, "..."]:
    """The one array that an IDX file holds."""
    with limits.opened(path) as file:
        room, packed = limits.room(file, memory), file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not packed:
            return _read(file, path, room, limits.size(file))
        try:
            with gzip.GzipFile(fileobj=file) as content:
                return _read(content, path, room, None)
        except (EOFError, OSError, zlib.error) as error:
            raise DataError(f"'{path}' is cut short or damaged: gzip cannot unpack it; fetch it again") from error


def _read(content: BufferedIOBase, path: Path, room: int, length: int | None) -> Tensor:
    """From a file whose length is known, or told by nothing but reading to its end."""
    magic = content.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _KINDS or magic[3] > _AXES:
        raise DataError(f"'{path}' is no IDX file: it begins with 0x{magic.hex()}; fetch it again")
    kind, axes = numpy.dtype(_KINDS[magic[2]]), magic[3]
    start = 4 + 4 * axes
    sizes = content.read(4 * axes)
    if len(sizes) < 4 * axes:
        raise DataError(
            f"'{path}' is cut short: its header ends after {4 + len(sizes)} of {start} bytes; fetch it again"
        )
    shape = struct.unpack(f">{axes}I", sizes)
    promised = math.prod(shape) * kind.itemsize
    if length is not None and length != start + promised:
        raise _other_length(path, length, start + promised, shape)
    # an axis of no entries must not hide another that is endless
    counted = math.prod(max(axis, 1) for axis in shape) * kind.itemsize
    limits.check(counted, room, f"'{path}'", "unpack it with gunzip if it is what it should be")
    values = content.read(promised)
    if len(values) != promised or content.read(1):
        found = f"{start + len(values)}" if len(values) < promised else f"more than {start + promised}"
        raise _other_length(path, found, start + promised, shape)
    array = numpy.frombuffer(values, kind).reshape(shape)
    return torch.from_numpy(array.astype(kind.newbyteorder("="), copy=True))


def _other_length(path: Path, found: object, expected: int, shape: tuple[int, ...]) -> DataError:
    return DataError(f"'{path}' has {found} bytes where its header promises {expected} for {shape}; fetch it again")
