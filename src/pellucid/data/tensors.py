"""A split that lies in memory whole, on the device that uses it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import final

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from pellucid.batch import Batch, check_labels, check_pixels
from pellucid.data.rows import Columns, check_lengths, positions, selected, summary, with_index, with_one_more
from pellucid.errors import ShapeError
from pellucid.ledger import digest, in_order


@final
@dataclass(frozen=True, eq=False)
class TensorSplit:
    """Images as bytes, or as floats in [0, 1]; a batch of them is one gather and one division.

    `origin` stands for the pixels in the fingerprint where something cheaper identifies them, such as the names and
    sizes of the files that they were decoded from.
    """

    pixels: Tensor  # (n, c, h, w), which is checked below
    labels: Int[Tensor, " n"]
    classes: tuple[str, ...]
    columns: Columns = field(default_factory=dict[str, Tensor])
    origin: str = ""

    def __post_init__(self) -> None:
        if self.pixels.ndim != 4:
            raise ShapeError(f"images have the shape {tuple(self.pixels.shape)}; give them as (n, c, h, w)")
        if self.pixels.dtype != torch.uint8:
            check_pixels(self.pixels, "this split")
        check_lengths(len(self.pixels), self.labels, self.columns)
        check_labels(self.labels, len(self.classes), "this split")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every image."""
        channels, height, width = self.pixels.shape[1:]
        return channels, height, width

    def __repr__(self) -> str:
        return summary("TensorSplit", self.labels, self.shape, self.classes, self.columns)

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.pixels)

    def batches(self, plan: Iterable[Tensor]) -> Iterator[Batch]:
        """One batch of float32 images in [0, 1] for each tensor of positions."""
        columns = with_index(self.columns, self.labels)
        for chosen in plan:
            rows = chosen.to(self.labels.device, non_blocking=True)
            x = unit_range(self.pixels.index_select(0, rows))
            yield Batch.trusted(x, self.labels.index_select(0, rows), selected(columns, rows))

    def take(self, which: int | Tensor) -> "TensorSplit":
        """The first `which` images (all of them, if there are fewer), or those at the positions `which`."""
        rows = positions(which, len(self)).to(self.labels.device)
        return replace(
            self,
            pixels=self.pixels.index_select(0, rows),
            labels=self.labels.index_select(0, rows),
            columns=selected(with_index(self.columns, self.labels), rows),
        )

    def with_column(self, name: str, values: Tensor) -> "TensorSplit":
        """The same images with one more column."""
        return replace(self, columns=with_one_more(self.columns, self.labels, name, values))

    def to(self, device: torch.device | str) -> "TensorSplit":
        """The same split in another device's memory."""
        return replace(
            self,
            pixels=self.pixels.to(device),
            labels=self.labels.to(device),
            columns={name: column.to(device) for name, column in self.columns.items()},
        )

    def fingerprint(self) -> str:
        """A digest of the content: the same images, labels and columns give the same one on any device."""
        columns = in_order(with_index(self.columns, self.labels))
        return digest(self.classes, self.shape, self.labels, *columns, self.origin or self.pixels)


def unit_range(pixels: UInt8[Tensor, "b c h w"] | Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """Pixels as float32 in [0, 1]."""
    if pixels.is_floating_point():
        return pixels.to(torch.float32)
    x = pixels.to(torch.float32)
    # a plain 255 would be multiplied by its rounded reciprocal on a GPU, and differ from the CPU in the last bit
    return x.div_(x.new_full((), 255.0))
