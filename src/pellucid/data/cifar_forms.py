"""The four forms in which CIFAR is published, and what each one's files mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy
import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from pellucid.data.classes import named
from pellucid.data.pickles import read_pickle
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
            return named(contents[self.meta].decode(errors="replace").split(), f"'{self.meta}' in {place}")
        meta = read_pickle(contents[self.meta], f"'{self.meta}' in {place}")
        names = meta.get(self.names) if isinstance(meta, dict) else None
        if not isinstance(names, list | tuple):
            raise DataError(f"'{self.meta}' in {place} has no '{self.names}'; fetch it again")
        plain = [name.decode(errors="replace") if isinstance(name, bytes) else name for name in names]
        return named(plain, f"'{self.meta}' in {place}")

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
