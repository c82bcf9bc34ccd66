"""The IDX format: a magic number, a size per axis, then big-endian numbers; plain or compressed with gzip."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy
import torch
from jaxtyping import Shaped
from torch import Tensor

from pellucid.errors import DataError

_KINDS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: Path) -> Shaped[Tensor, "..."]:
    """The one array that an IDX file holds."""
    content = _content(path)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _KINDS:
        raise DataError(f"'{path}' is no IDX file: it begins with 0x{content[:4].hex()}; fetch it again")
    kind, axes = numpy.dtype(_KINDS[content[2]]), content[3]
    start = 4 + 4 * axes
    if len(content) < start:
        raise DataError(
            f"'{path}' is cut short: its header ends after {len(content)} of {start} bytes; fetch it again"
        )
    shape = struct.unpack(f">{axes}I", content[4:start])
    expected = start + math.prod(shape) * kind.itemsize
    if len(content) != expected:
        raise DataError(
            f"'{path}' has {len(content)} bytes where its header promises {expected} for {shape}; fetch it again"
        )
    values = numpy.frombuffer(content, kind, offset=start).reshape(shape)
    return torch.from_numpy(values.astype(kind.newbyteorder("="), copy=True))


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"'{path}' is cut short or damaged: gzip cannot unpack it; fetch it again") from error
