import re
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from pellucid.data import column_from
from pellucid.errors import DataError


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("bool", torch.bool),
        ("uint8", torch.uint8),
        ("uint16", torch.int64),
        (">i4", torch.int64),
        ("float32", torch.float32),
        (">f8", torch.float64),
        ("longdouble", torch.float64),
    ],
)
def test_numbers_are_read_whoever_wrote_them(tmp_path: Path, written: str, read: torch.dtype) -> None:
    values = numpy.array([[0, 1], [1, 0], [1, 1]]).astype(written)
    numpy.save(tmp_path / "a.npy", values)
    numpy.savez(tmp_path / "a.npz", masks=values)
    numpy.savez_compressed(tmp_path / "b.npz", values)
    for name in ("a.npy", "a.npz", "b.npz"):
        column = column_from(tmp_path / name)
        assert column.dtype == read
        assert column.tolist() == values.tolist()


def test_columns_in_the_order_of_fortran_are_read(tmp_path: Path) -> None:
    values = numpy.arange(6.0).reshape(2, 3).T
    numpy.save(tmp_path / "a.npy", values)
    assert column_from(str(tmp_path / "a.npy")).tolist() == values.tolist()


def refused(path: Path, message: str) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        column_from(path)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "masks.npy"
    refused(path, f"'{path}' does not exist; give a .npy file, or a .npz file with one array")
    refused(tmp_path, f"'{tmp_path}' is a folder, no regular file; give a file, or a link to one")


def test_what_is_damaged_is_refused(tmp_path: Path) -> None:
    values: dict[str, Any] = {"masks": numpy.ones((50, 4, 4))}
    path, archive, pickled, empty = (tmp_path / name for name in ("a.npy", "a.npz", "b.npy", "c.npy"))
    numpy.save(path, values["masks"])
    numpy.savez(archive, **values)
    numpy.save(pickled, numpy.array([{}], dtype=object), allow_pickle=True)
    for file in (path, archive):
        file.write_bytes(file.read_bytes()[:-100])
    empty.write_bytes(b"")
    refused(path, f"'{path}' has 6300 bytes where its header promises 6400; write it again with numpy.save")
    for file in (archive, empty):
        refused(file, f"'{file}' is cut short, or is no .npz file; write it again with numpy.savez")
    refused(pickled, f"'{pickled}' holds a pickle, which could run code; save plain arrays of numbers")


def test_what_is_no_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    numpy.savez(path, a=numpy.ones(2), b=numpy.ones(2))
    refused(path, f"'{path}' has 2 arrays (a, b); save one")
    numpy.savez(path)
    refused(path, f"'{path}' has 0 arrays (none); save one")
    path = tmp_path / "a.npy"
    for values, shown in ((numpy.array(3.0), "float64 of shape ()"), (numpy.array(["a"]), "<U1 of shape (1,)")):
        numpy.save(path, values)
        refused(path, f"'{path}' holds {shown}; save numbers or booleans with a row for each image")
