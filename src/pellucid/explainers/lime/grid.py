"""Cells that are the same places in every image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.explainers.lime.segmentation import Segmentation

_CELLS = 7  # along a side
_SIDE = 2  # pixels that a cell has along a side at the least


@final
@dataclass(frozen=True)
class Grid(Segmentation):
    """Cells of equal size, in so many rows and columns; in images with fewer pixels, each pixel is one.

    "auto" is 7, or in small images as many as leave cells of 2 pixels: those of one pixel are their own mean.
    """

    rows: int | Literal["auto"] = "auto"
    columns: int | Literal["auto"] = "auto"

    def __post_init__(self) -> None:
        if any(number != "auto" and number < 1 for number in (self.rows, self.columns)):
            raise ConfigError(
                f"Grid has rows={self.rows} and columns={self.columns}; give 1 or more of each, or 'auto'"
            )

    @property
    def shared(self) -> bool:
        """A cell is a place."""
        return True

    def resolved(self, shape: Sequence[int]) -> "Grid":
        """The rows and columns that images of this shape get."""
        return Grid(_number(self.rows, shape[-2]), _number(self.columns, shape[-1])) if len(shape) == 3 else self

    def __call__(self, images: Float[Tensor, "b c h w"]) -> Int[Tensor, "b h w"]:
        """Cells are numbered row by row."""
        height, width = images.shape[2:]
        rows, columns = _number(self.rows, height), _number(self.columns, width)
        row = torch.arange(height, device=images.device) * rows // height
        column = torch.arange(width, device=images.device) * columns // width
        return (row[:, None] * columns + column).expand(len(images), -1, -1)


def _number(asked: int | Literal["auto"], side: int) -> int:
    return max(1, min(_CELLS, side // _SIDE)) if asked == "auto" else min(asked, side)
