"""Your own arrays, from a `.npz` file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid import limits
from pellucid.batch import check_labels, check_pixels
from pellucid.data.classes import named_classes, numbered_classes
from pellucid.data.datasets import Data, Request
from pellucid.data.split import held_out
from pellucid.data.tensors import TensorSplit
from pellucid.errors import DataError, LabelError, PixelError, ShapeError, count_of
from pellucid.npz import read_npz

Arrays = Mapping[str, NDArray[Any]]

_TEST = 0.2
_SHOWN = 20  # keys of a file, and letters of each
_CHANNELS = (1, 3)


def load_npz(request: Request) -> Data:
    """A .npz file of your own: x and y, or x_train, y_train, x_test and y_test.

    Images are bytes, or floats in [0, 1], as (n, h, w), (n, h, w, c) or (n, c, h, w). Two keys are optional:
    `classes`, their names in order, and `layout`, 'NHWC' or 'NCHW', where the shape alone leaves it open. Without a
    test set, a fifth of each class becomes one.
    """
    path = request.given("npz")
    arrays = read_npz(path, request.room)
    whole = None
    if {"x_train", "y_train", "x_test", "y_test"} <= arrays.keys():
        train, test = _pair(arrays, "_train", path), _pair(arrays, "_test", path)
        classes = _class_names(arrays, train[1], f"'y_train' in '{path}'")
        check_labels(train[1], len(classes), f"'y_train' in '{path}'")
        check_labels(test[1], len(classes), f"'y_test' in '{path}'")
    elif {"x", "y"} <= arrays.keys():
        x, y = _pair(arrays, "", path)
        classes = _class_names(arrays, y, f"'y' in '{path}'")
        check_labels(y, len(classes), f"'y' in '{path}'")
        held = held_out(y, _TEST, request.split_seed)
        train, test = (x[~held], y[~held]), (x[held], y[held])
        whole = TensorSplit(x, y, classes)
    else:
        raise DataError(
            f"'{path}' has the keys {_keys(arrays)}; save x and y, or x_train, y_train, x_test and y_test"
        )
    if train[0].shape[1:] != test[0].shape[1:]:
        raise ShapeError(
            f"'{path}' has training images of shape {tuple(train[0].shape[1:])} and test images of "
            f"{tuple(test[0].shape[1:])}; make them alike"
        )
    return Data(path.stem, TensorSplit(*train, classes), TensorSplit(*test, classes), whole=whole)


def _pair(arrays: Arrays, part: str, path: Path) -> tuple[Tensor, Tensor]:
    x, y = _images(arrays, f"x{part}", path), _labels(arrays[f"y{part}"], f"'y{part}' in '{path}'")
    if not len(x):
        raise DataError(f"'x{part}' in '{path}' has no images; save some")
    if len(x) != len(y):
        raise ShapeError(
            f"'{path}' has {count_of(len(x), 'image')} in 'x{part}' and {len(y)} labels in 'y{part}'; pair them up"
        )
    return x, y


def _labels(y: NDArray[Any], place: str) -> Tensor:
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise LabelError(f"{place} is {y.dtype} of shape {y.shape}; save one whole number per image")
    if y.size and int(y.max()) >= 2**63:
        raise LabelError(f"{place} has the label {int(y.max())}; number the classes from 0")
    return torch.from_numpy(y.astype(numpy.int64))


def _images(arrays: Arrays, key: str, path: Path) -> Tensor:
    place, x = f"'{key}' in '{path}'", arrays[key]
    if x.dtype.kind == "f":
        x = x.astype(numpy.float32)
    elif x.dtype != numpy.uint8:
        raise PixelError(f"{place} holds {x.dtype} pixels; save bytes (uint8), or floats in [0, 1]")
    layout = _told(arrays["layout"]) if "layout" in arrays else _layout(x.shape, place)
    if layout not in ("NHW", "NHWC", "NCHW") or len(layout) != x.ndim:
        raise ShapeError(f"{place} has the shape {x.shape} and the layout '{layout}'; save 'NHW', 'NHWC' or 'NCHW'")
    pixels = torch.from_numpy(numpy.ascontiguousarray(x))
    pixels = pixels[:, None] if layout == "NHW" else pixels.permute(0, 3, 1, 2) if layout == "NHWC" else pixels
    if pixels.is_floating_point():
        check_pixels(pixels, place)
    return pixels.contiguous()


def _told(layout: NDArray[Any]) -> str:
    return str(layout.item())[: len("NHWC") + 1] if layout.size == 1 else "none"


def _layout(shape: tuple[int, ...], place: str) -> str:
    if len(shape) == 3:
        return "NHW"
    if len(shape) != 4:
        raise ShapeError(f"{place} has the shape {shape}; save images as (n, h, w), (n, h, w, c) or (n, c, h, w)")
    first, last = shape[1] in _CHANNELS, shape[3] in _CHANNELS
    if first == last:
        reason = "both ends" if first else "neither end"
        raise ShapeError(
            f"{place} has the shape {shape}, where {reason} could be 1 or 3 channels; "
            "save layout='NHWC' or layout='NCHW' beside it"
        )
    return "NCHW" if first else "NHWC"


def _class_names(arrays: Arrays, labels: Tensor, place: str) -> tuple[str, ...]:
    if "classes" not in arrays:
        return numbered_classes(labels, place, "number the classes from 0, or save the names of all as 'classes'")
    names = arrays["classes"]
    if names.ndim != 1 or names.dtype.kind not in "Uiu" or len(names) > limits.CLASSES:
        raise DataError(
            f"'classes' beside {place} is {names.dtype} of shape {names.shape}; save one name for each class, "
            f"{limits.CLASSES} at most"
        )
    return named_classes(names.tolist(), f"'classes' beside {place}")


def _keys(arrays: Arrays) -> str:
    names = sorted(arrays)
    return ", ".join([name[:_SHOWN] for name in names[:_SHOWN]] + ["..."] * (len(names) > _SHOWN)) or "none"
