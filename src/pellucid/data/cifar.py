"""CIFAR-10 and CIFAR-100 in the four forms in which they are published.

They are read from a folder or straight from a tar archive; nothing is unpacked to disk.
"""

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Any, final

import numpy
import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from pellucid import limits
from pellucid.batch import check_labels
from pellucid.data.classes import named_classes
from pellucid.data.datasets import Data, Request
from pellucid.data.download import Remote, require, whole
from pellucid.data.flip import Flip
from pellucid.data.pad_crop import PadCrop
from pellucid.data.pickles import read_pickle
from pellucid.data.tensors import TensorSplit
from pellucid.errors import DataError

Pair = tuple[UInt8[Tensor, "n 3 32 32"], Int[Tensor, " n"]]

_PIXELS = 3 * 32 * 32
_TEN = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@final
@dataclass(frozen=True)
class Form:
    """Which files there are, and where they keep labels and class names."""

    folder: str
    train: tuple[str, ...]
    test: str
    meta: str
    classes: int
    labels: str = ""  # the key in a pickle
    names: str = ""  # likewise, in the pickle `meta`
    label_bytes: int = 0  # before the pixels of a binary record, the last one counting

    def begun(self, files: Mapping[str, Any] | set[str]) -> bool:
        """Whether any of the files that make up this form is there."""
        return any(name in files for name in (*self.train, self.test))

    def batch(self, content: bytes, place: str) -> Pair:
        """The images and labels of one file."""
        return (
            _from_records(content, self.label_bytes, place) if self.label_bytes else self._unpickled(content, place)
        )

    def class_names(self, contents: Mapping[str, bytes], place: str) -> tuple[str, ...]:
        """The names that came with the images, or else those that everyone knows."""
        if self.meta not in contents:
            return _TEN if self.classes == len(_TEN) else tuple(str(number) for number in range(self.classes))
        if self.label_bytes:
            return named_classes(contents[self.meta].decode(errors="replace").split(), f"'{self.meta}' in {place}")
        meta = read_pickle(contents[self.meta], f"'{self.meta}' in {place}")
        names = meta.get(self.names) if isinstance(meta, dict) else None
        if not isinstance(names, list | tuple):
            raise DataError(f"'{self.meta}' in {place} has no '{self.names}'; fetch it again")
        plain = [name.decode(errors="replace") if isinstance(name, bytes) else name for name in names]
        return named_classes(plain, f"'{self.meta}' in {place}")

    def _unpickled(self, content: bytes, place: str) -> Pair:
        batch = read_pickle(content, place)
        if not isinstance(batch, dict) or not {"data", self.labels} <= batch.keys():
            raise DataError(f"{place} has no 'data' and '{self.labels}'; fetch it again")
        data, labels = batch["data"], _whole(batch[self.labels])
        if not isinstance(data, numpy.ndarray) or labels is None:
            raise DataError(f"{place} holds no array of pixels and list of labels; fetch it again")
        if data.dtype != numpy.uint8 or data.shape != (len(labels), _PIXELS):
            raise DataError(
                f"{place} holds {data.dtype} pixels of shape {data.shape} and {len(labels)} labels; "
                f"expected uint8 of shape (n, {_PIXELS}) and n whole numbers: fetch it again"
            )
        return torch.tensor(data).reshape(-1, 3, 32, 32), labels


def _whole(labels: Any) -> Tensor | None:
    """Labels as numbers; none where they are anything else, such as lists of lists without end."""
    if isinstance(labels, numpy.ndarray):
        return torch.tensor(labels.astype(numpy.int64)) if labels.dtype.kind in "iu" and labels.ndim == 1 else None
    if not isinstance(labels, list | tuple) or not all(type(one) is int and abs(one) < 2**63 for one in labels):
        return None
    return torch.tensor(labels, dtype=torch.int64)


def _from_records(content: bytes, label_bytes: int, place: str) -> Pair:
    size = label_bytes + _PIXELS
    if len(content) % size:
        raise DataError(f"{place} is cut short: {len(content)} bytes are no whole number of {size}; fetch it again")
    records = torch.from_numpy(numpy.frombuffer(content, numpy.uint8).reshape(-1, size).copy())
    return records[:, label_bytes:].reshape(-1, 3, 32, 32), records[:, label_bytes - 1].long()


_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))


_RECORDS = tuple(f"{name}.bin" for name in _BATCHES)


FORMS = (
    Form("cifar-10-batches-py", _BATCHES, "test_batch", "batches.meta", 10, labels="labels", names="label_names"),
    Form("cifar-10-batches-bin", _RECORDS, "test_batch.bin", "batches.meta.txt", 10, label_bytes=1),
    Form("cifar-100-python", ("train",), "test", "meta", 100, labels="fine_labels", names="fine_label_names"),
    Form("cifar-100-binary", ("train.bin",), "test.bin", "fine_label_names.txt", 100, label_bytes=2),
)


_SITE = "https://www.cs.toronto.edu/~kriz"


def holds_batches(folder: Path) -> bool:
    """Whether a folder has the files of either data set, or the folder that they are published in."""
    return _place(folder, FORMS) is not None


def load_cifar10(request: Request) -> Data:
    """60,000 photographs of 32x32 pixels in ten classes."""
    return _load(request, "cifar10", 10, "md5:c58f30108f718f92721af3b95e74349a")


def load_cifar100(request: Request) -> Data:
    """60,000 photographs of 32x32 pixels in a hundred classes."""
    return _load(request, "cifar100", 100, "md5:eb9058c3a382ffc7106e4002c42a8d85")


def _load(request: Request, name: str, classes: int, checksum: str) -> Data:
    """The data set of a name, from where it was asked for, or else its archive, whose checksum is known."""
    if request.path is not None:
        place = request.path if request.path.is_file() else _place(request.path, FORMS)
        return _read(place or request.path, request.path.resolve().name, FORMS, request.room)
    folder = request.root / name
    forms = tuple(form for form in FORMS if form.classes == classes)
    place = _place(folder, forms) or next(iter(sorted(folder.glob(f"cifar-{classes}-*.tar.?z"))), None)
    remote = Remote(f"{_SITE}/cifar-{classes}-python.tar.gz", checksum)
    if place is None:
        require([remote], folder, download=request.download, report=request.report)
    return _read(whole(place or folder / remote.name), name, forms, request.room)


def _place(folder: Path, forms: tuple[Form, ...]) -> Path | None:
    """Where below a folder the unpacked files are."""
    for form in forms:
        for place in (folder, folder / form.folder):
            if place.is_dir() and form.begun({path.name for path in place.iterdir() if path.is_file()}):
                return place
    return None


def _read(place: Path, name: str, forms: tuple[Form, ...], room: int) -> Data:
    wanted = {file for form in forms for file in (*form.train, form.test, form.meta)}
    contents = contents_of(place, wanted.__contains__, room)
    form = next((form for form in forms if form.begun(contents)), None)
    if form is None:
        raise DataError(f"'{place}' holds no CIFAR batches; give the archive as it is published, or a folder")
    missing = [file for file in (*form.train, form.test) if file not in contents]
    if missing:
        raise DataError(f"'{place}' lacks {', '.join(missing)}; fetch it again, whole")
    classes = form.class_names(contents, f"'{place}'")

    def split(*files: str) -> TensorSplit:
        batches = [form.batch(contents[file], f"'{file}' in '{place}'") for file in files]
        for file, (_, labels) in zip(files, batches, strict=True):
            check_labels(labels, len(classes), f"'{file}' in '{place}'")
        pixels, labels = (torch.cat(parts) for parts in zip(*batches, strict=True))
        return TensorSplit(pixels, labels, classes)

    return Data(name, split(*form.train), split(form.test), augment=(PadCrop(4), Flip()))


_PACKED: tuple[tuple[bytes, Callable[[Any], Any]], ...] = (
    (b"\x1f\x8b", lambda file: gzip.GzipFile(fileobj=file)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\0", lzma.LZMAFile),
)


def contents_of(path: Path, wanted: Callable[[str], bool], memory: int = limits.MEMORY) -> dict[str, bytes]:
    """The wanted files by the last part of their name: those in a folder, or anywhere in an archive."""
    if path.is_dir():
        return {file.name: limits.read(file, memory) for file in sorted(path.iterdir()) if wanted(file.name)}
    contents: dict[str, bytes] = {}
    try:
        # as a stream, whose every byte is counted, those of names and gaps too
        with limits.opened(path) as file:
            counted: Any = _Counted(file, path, memory)  # of a file, tarfile only reads
            for member in (archive := tarfile.open(fileobj=counted, mode="r|")):  # noqa: SIM115, nothing to close
                name = PurePosixPath(member.name).name
                whole = member.isreg() and not member.issparse()  # else it is far longer than what is there of it
                content = archive.extractfile(member) if whole and wanted(name) else None
                if content is not None:
                    contents[name] = content.read()
    except (tarfile.TarError, EOFError, OSError, lzma.LZMAError, zlib.error, ValueError) as error:
        raise DataError(f"'{path}' is cut short, or is no tar archive; fetch it again") from error
    return contents


class _Counted:
    """What a file unpacks to, as long as there is room for it."""

    def __init__(self, file: BufferedReader, path: Path, memory: int) -> None:
        start = file.read(8)
        file.seek(0)
        unpacked = next((opening for magic, opening in _PACKED if start.startswith(magic)), None)
        self._file = file if unpacked is None else unpacked(file)
        self._room, self._path, self._done = limits.room(file, memory), path, 0
        if unpacked is None:
            self._room = max(self._room, limits.size(file))  # skipped without being read into memory

    def read(self, size: int) -> bytes:
        content = self._file.read(size)
        self._done += len(content)
        if self._done > self._room:
            raise DataError(
                f"'{self._path}' unpacks to more than the {limits.shown(self._room)} that it may; "
                "unpack it yourself, and give the folder"
            )
        return content
