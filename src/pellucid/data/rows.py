"""Labels and columns, one row per image: what splits have in common wherever their pixels are."""

from collections.abc import Mapping

import torch
from jaxtyping import Int
from torch import Tensor

from pellucid.batch import listed
from pellucid.errors import ShapeError, count_of
from pellucid.printable import printable

Columns = Mapping[str, Tensor]


def with_index(columns: Columns, labels: Int[Tensor, " n"]) -> Columns:
    """The columns with `index` among them; images that were never taken from anywhere are numbered in order."""
    return {"index": torch.arange(len(labels), device=labels.device), **columns}


def selected(columns: Columns, rows: Int[Tensor, " m"]) -> dict[str, Tensor]:
    """The same columns at some rows."""
    return {name: column.index_select(0, rows) for name, column in columns.items()}


def with_one_more(columns: Columns, labels: Int[Tensor, " n"], name: str, values: Tensor) -> Columns:
    """The columns and one more, on the labels' device."""
    if name in ("x", "y", "index"):
        raise ShapeError(f"a column cannot be called '{name}', which every batch has already; choose another name")
    return {**columns, name: values.to(labels.device)}


def summary(
    kind: str, labels: Tensor, shape: tuple[int, int, int], classes: tuple[str, ...], columns: Columns
) -> str:
    """A split in a line: how many images, of which shape, in which classes, with which columns."""
    images = f"{len(labels):,} image{'s' * (len(labels) != 1)} of {'x'.join(map(str, shape))}"
    own = [name for name in columns if name != "index"]
    more = f"; columns {listed(own)}" if own else ""
    return printable(f"{kind}({images} in {count_of(len(classes), 'class')}: {listed(classes)}{more})")


def positions(which: int | Tensor, length: int) -> Int[Tensor, " m"]:
    """The rows that `take(which)` means."""
    if isinstance(which, int):
        if which < 0:
            raise ShapeError(
                f"cannot take the first {count_of(which, 'image')}; give 0 or more, or a tensor of positions"
            )
        return torch.arange(min(which, length))
    if which.ndim != 1 or which.is_floating_point() or which.dtype == torch.bool:
        raise ShapeError(
            f"take was given a {which.ndim}-dimensional tensor of {which.dtype}; give one row of positions"
        )
    if len(which) and not 0 <= int(which.min()) <= int(which.max()) < length:
        wrong = int(which.min()) if int(which.min()) < 0 else int(which.max())
        raise ShapeError(f"there is no image at position {wrong} of {length}; positions run from 0 to {length - 1}")
    return which.long()


def check_lengths(images: int, labels: Tensor, columns: Columns) -> None:
    """Refuse rows that do not pair up with images."""
    for name, column in {"labels": labels, **columns}.items():
        if len(column) != images:
            raise ShapeError(f"'{name}' has {len(column)} rows for {count_of(images, 'image')}; each image needs one")
