"""Columns of your own, from a file."""

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import DataError


def column_from(path: Path | str) -> Tensor:
    """The numbers in a .npy file, or in a .npz file with one array; the first axis counts the images."""
    path = Path(path).expanduser()
    if not path.is_file():
        raise DataError(f"'{path}' does not exist; give a .npy file, or a .npz file with one array")
    try:
        with path.open("rb") as file:  # numpy leaves a damaged one open
            found = numpy.load(file, allow_pickle=False)
            array = found if isinstance(found, numpy.ndarray) else _only(found, path)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"'{path}' is cut short, or holds no plain arrays; save numbers with numpy.save or numpy.savez"
        ) from error
    if array.dtype.kind not in "biuf" or not array.ndim:
        raise DataError(
            f"'{path}' holds {array.dtype} of shape {array.shape}; save numbers or booleans with a row for each image"
        )
    return torch.from_numpy(_native(array))


def _only(arrays: Mapping[str, NDArray[Any]], path: Path) -> NDArray[Any]:
    if len(arrays) != 1:
        shown = ", ".join(sorted(arrays)) or "none"
        raise DataError(f"'{path}' has {len(arrays)} arrays ({shown}); save one")
    return next(iter(arrays.values()))


def _native(array: NDArray[Any]) -> NDArray[Any]:
    """In one of the types that tensors have, and this machine's order of bytes."""
    if array.dtype.kind in "iu" and array.dtype != numpy.uint8:
        array = array.astype(numpy.int64)
    elif array.dtype.kind == "f":
        array = array.astype(numpy.float64 if array.itemsize > 8 else array.dtype.newbyteorder("="))
    return numpy.ascontiguousarray(array)
