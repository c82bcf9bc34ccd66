"""MNIST, and whatever else comes in the same four files."""

import gzip
import math
import struct
import zlib
from io import BufferedIOBase
from pathlib import Path

import numpy
import torch
from jaxtyping import Int, Shaped, UInt8
from torch import Tensor

from pellucid import limits
from pellucid.batch import check_labels
from pellucid.data.classes import numbered_classes
from pellucid.data.datasets import Data, Request
from pellucid.data.download import Remote, require, whole
from pellucid.data.tensors import TensorSplit
from pellucid.errors import DataError, ShapeError, count_of

_MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist"

REMOTES = {
    name: Remote(f"{_MIRROR}/{name}.gz", f"sha256:{digest}", unpacked=True)
    for name, digest in {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    }.items()
}


def load_mnist(request: Request) -> Data:
    """70,000 gray digits of 28x28 pixels; or a folder of IDX files under the names of MNIST's."""
    folder = request.path or request.root / "mnist"
    missing = [name for name in REMOTES if _find(folder, name) is None]
    if missing and request.path:
        raise DataError(
            f"'{folder}' has some IDX files but lacks {', '.join(missing)}; put them there, gzipped or not"
        )
    require([REMOTES[name] for name in missing], folder, download=request.download, report=request.report)
    pixels, labels = _read(folder, "train", request.room)
    classes = numbered_classes(labels, f"the training set in '{folder}'", "number the classes from 0")
    test_pixels, test_labels = _read(folder, "t10k", request.room)
    check_labels(test_labels, len(classes), f"the test set in '{folder}'")
    name = folder.resolve().name if request.path else "mnist"
    return Data(name, TensorSplit(pixels, labels, classes), TensorSplit(test_pixels, test_labels, classes))


def holds_idx(folder: Path) -> bool:
    """Whether a folder has any of the four files, gzipped or not."""
    return any(_find(folder, name) for name in REMOTES)


def _find(folder: Path, name: str) -> Path | None:
    dotted = ".idx".join(name.rsplit("-idx", 1))  # as some mirrors write it
    candidates = (folder / f"{stem}{end}" for stem in (name, dotted) for end in ("", ".gz"))
    return next((path for path in candidates if path.is_file()), None)


def _read(folder: Path, part: str, room: int) -> tuple[UInt8[Tensor, "n 1 h w"], Int[Tensor, " n"]]:
    images, labels = (_find(folder, f"{part}-{content}-ubyte") for content in ("images-idx3", "labels-idx1"))
    assert images and labels, "they were looked for before"
    pixels, classes = read_idx(whole(images), room), read_idx(whole(labels), room)
    if pixels.dtype != torch.uint8 or pixels.ndim != 3:
        raise ShapeError(
            f"'{images}' holds {pixels.dtype} of shape {tuple(pixels.shape)}; images are bytes (n, h, w)"
        )
    if classes.is_floating_point() or classes.shape != pixels.shape[:1]:
        raise ShapeError(
            f"'{labels}' holds {classes.dtype} of shape {tuple(classes.shape)} for {count_of(len(pixels), 'image')}; "
            "each image needs one whole number"
        )
    return pixels[:, None], classes.long()


_KINDS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_AXES = 16


def read_idx(path: Path, memory: int = limits.MEMORY) -> Shaped[Tensor, "..."]:
    """The one array that an IDX file holds."""
    with limits.opened(path) as file:
        room, packed = limits.room(file, memory), file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not packed:
            return _array(file, path, room, limits.size(file))
        try:
            with gzip.GzipFile(fileobj=file) as content:
                return _array(content, path, room, None)
        except (EOFError, OSError, zlib.error) as error:
            raise DataError(f"'{path}' is cut short or damaged: gzip cannot unpack it; fetch it again") from error


def _array(content: BufferedIOBase, path: Path, room: int, length: int | None) -> Tensor:
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
