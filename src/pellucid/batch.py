"""A batch: images, labels and whatever else belongs to each image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.errors import LabelError, PixelError, ShapeError, count_of, suggestion


@dataclass(frozen=True)
class Batch:
    """Images `x` in [0, 1], labels `y` and named columns with one row per image.

    The column `index` holds each image's number in its split; random numbers are drawn by it.
    """

    x: Tensor
    y: Tensor
    columns: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])

    def __post_init__(self) -> None:
        check_pixels(self.x, "this batch")
        if len(self.y) and int(self.y.min()) < 0:
            raise LabelError(f"this batch has the label {int(self.y.min())}; labels count from 0")
        self._check_lengths()

    @classmethod
    def trusted(cls, x: Tensor, y: Tensor, columns: Mapping[str, Tensor]) -> "Batch":
        """A batch of pixels that are known to lie in [0, 1]: looking again would make the device wait."""
        batch = object.__new__(cls)
        object.__setattr__(batch, "x", x)
        object.__setattr__(batch, "y", y)
        object.__setattr__(batch, "columns", columns)
        batch._check_lengths()
        return batch

    def __repr__(self) -> str:
        columns = f", columns {listed([*map(repr, self.columns)])}" if self.columns else ""
        return f"Batch({count_and_shape(self.x, 'image')}, labels {listed(self.y.tolist())}{columns})"

    def __len__(self) -> int:
        return len(self.x)

    @property
    def index(self) -> Int[Tensor, " b"]:
        """Each image's number in its split, or in this batch where no split gave one."""
        if "index" in self.columns:
            return self.columns["index"]
        return torch.arange(len(self.x), device=self.x.device)

    def column(self, name: str) -> Tensor:
        """The values of a named column, a row for each image."""
        if name not in self.columns:
            known = suggestion(name, self.columns)
            raise ShapeError(
                f"this batch has no column '{name}'{known}; attach one with split.with_column('{name}', tensor)"
            )
        return self.columns[name]

    def with_column(self, name: str, values: Tensor) -> "Batch":
        """The same batch with one more column."""
        return Batch.trusted(self.x, self.y, {**self.columns, name: values})

    def rows(self, rows: slice | Tensor) -> "Batch":
        """Some of the images, each with its columns and its number."""
        columns = {name: column[rows] for name, column in {**self.columns, "index": self.index}.items()}
        return Batch.trusted(self.x[rows], self.y[rows], columns)

    def at(self, x: Float[Tensor, "b *shape"]) -> "Batch":
        """The same labels and columns at other images."""
        return Batch.trusted(x, self.y, self.columns)

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        moved = {name: column.to(device) for name, column in self.columns.items()}
        return Batch.trusted(self.x.to(device), self.y.to(device), moved)

    def _check_lengths(self) -> None:
        lengths = {"y": len(self.y)} | {name: len(column) for name, column in self.columns.items()}
        for name, length in lengths.items():
            if length != len(self.x):
                raise ShapeError(
                    f"'{name}' has {length} rows for {count_of(len(self.x), 'image')}; each image needs one"
                )


def check_pixels(x: Tensor, owner: str) -> None:
    """Refuse images that are not floats in [0, 1]."""
    if not x.is_floating_point():
        raise PixelError(f"{owner} holds {x.dtype} pixels; divide by 255 for floats in [0, 1]")
    if x.numel() == 0:
        return
    low, high = (float(bound) for bound in torch.aminmax(x.detach()))
    if not (low >= 0 and high <= 1):  # written so that NaN fails too
        raise PixelError(
            f"{owner} has pixels from {low:.4g} to {high:.4g}; they must lie in [0, 1]: "
            "divide by 255, and put normalization inside the model"
        )


def check_labels(y: Tensor, classes: int, owner: str) -> None:
    """Refuse labels that name no class."""
    if y.numel() == 0:
        return
    low, high = int(y.min()), int(y.max())
    if low < 0 or high >= classes:
        wrong = low if low < 0 else high
        raise LabelError(
            f"{owner} has the label {wrong} and {count_of(classes, 'class')}; labels run from 0 to {classes - 1}"
        )


def count_and_shape(images: Tensor, what: str) -> str:
    """How many images, or maps, a tensor holds, and of which shape.

    >>> count_and_shape(torch.zeros(2, 3, 32, 32), "image")
    '2 images of 3x32x32'
    """
    return f"{len(images):,} {what}{'s' * (len(images) != 1)} of {'x'.join(map(str, images.shape[1:]))}"


def listed(values: Sequence[object], most: int = 8) -> str:
    """The first of several values in a line, and the last.

    >>> listed(range(100))
    '0, 1, 2, 3, 4, 5, 6, ..., 99'
    """
    shown = [str(value) for value in values]
    return ", ".join(shown if len(shown) <= most else [*shown[: most - 1], "...", shown[-1]])
