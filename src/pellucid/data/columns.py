"""Columns of your own, from a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid import limits
from pellucid.errors import DataError
from pellucid.npz import read_any


def column_from(path: Path | str) -> Tensor:
    """The numbers in a .npy file, or in a .npz file with one array; the first axis counts the images."""
    path = Path(path)
    with limits.reading(path):
        path = path.expanduser()
        if not path.exists():
            raise DataError(f"'{path}' does not exist; give a .npy file, or a .npz file with one array")
        return _read(path)


def _read(path: Path) -> Tensor:
    array = _only(read_any(path), path)
    if array.dtype.kind not in "biuf" or not array.ndim:
        raise DataError(
            f"'{path}' holds {array.dtype} of shape {array.shape}; save numbers or booleans with a row for each image"
        )
    return torch.from_numpy(_native(array))


def _only(arrays: Mapping[str, NDArray[Any]], path: Path) -> NDArray[Any]:
    if len(arrays) != 1:
        shown = ", ".join(sorted(arrays))[:_SHOWN] or "none"
        raise DataError(f"'{path}' has {len(arrays)} arrays ({shown}); save one")
    return next(iter(arrays.values()))


_SHOWN = 200  # letters of their names


def _native(array: NDArray[Any]) -> NDArray[Any]:
    """In one of the types that tensors have, and this machine's order of bytes."""
    if array.dtype.kind in "iu" and array.dtype != numpy.uint8:
        array = array.astype(numpy.int64)
    elif array.dtype.kind == "f":
        array = array.astype(numpy.float64 if array.itemsize > 8 else array.dtype.newbyteorder("="))
    return numpy.ascontiguousarray(array)
