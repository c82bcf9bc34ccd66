"""A split that is decoded from image files while it is read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import final

import torch
from jaxtyping import Int
from torch import Tensor

from pellucid.batch import Batch, check_labels
from pellucid.data.download import Report, silent
from pellucid.data.images import Images, decoded
from pellucid.data.rows import Columns, check_lengths, positions, selected, summary, with_index, with_one_more
from pellucid.data.tensors import TensorSplit, unit_range
from pellucid.data.workers import workers_for
from pellucid.errors import ShapeError
from pellucid.ledger import digest, in_order

_CHUNK = 64


@final
@dataclass(frozen=True, eq=False)
class StreamedSplit:
    """Images that are decoded by worker processes, a few batches ahead, and never all in memory.

    The batches are those of a `TensorSplit` of the same files, bit for bit. The column `index` says which file
    belongs to which row; `origin` identifies the files.
    """

    images: Images
    labels: Int[Tensor, " n"]
    classes: tuple[str, ...]
    origin: str
    columns: Columns = field(default_factory=dict[str, Tensor])
    workers: int = 2

    def __post_init__(self) -> None:
        if "index" not in self.columns and len(self.labels) != len(self.images):
            raise ShapeError(
                f"'labels' has {len(self.labels)} rows for {len(self.images)} files; each file needs one"
            )
        check_lengths(len(self.labels), self.labels, self.columns)
        check_labels(self.labels, len(self.classes), "this split")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every image."""
        return self.images.shape

    def __repr__(self) -> str:
        return summary("StreamedSplit", self.labels, self.shape, self.classes, self.columns)

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.labels)

    def batches(self, plan: Iterable[Tensor]) -> Iterator[Batch]:
        """One batch of float32 images in [0, 1] for each tensor of positions."""
        device = self.labels.device
        columns = with_index(self.columns, self.labels)
        chosen = (positions.cpu() for positions in plan)
        pinned = device.type == "cuda"
        workers = workers_for(len(self), self.workers)
        for cpu_rows, pixels in decoded(self.images, columns["index"].cpu(), chosen, workers=workers, pin=pinned):
            rows = cpu_rows.to(device, non_blocking=True)
            x = unit_range(pixels.to(device, non_blocking=True))
            yield Batch.trusted(x, self.labels.index_select(0, rows), selected(columns, rows))

    def held(self, report: Report = silent) -> TensorSplit:
        """The same split with its pixels in memory, so that nothing is decoded again."""
        pixels = torch.empty(len(self), *self.shape, dtype=torch.uint8, device=self.labels.device)
        columns = with_index(self.columns, self.labels)
        plan = torch.arange(len(self)).split(_CHUNK)
        workers, done = workers_for(len(self), self.workers), 0
        for rows, read in decoded(self.images, columns["index"].cpu(), plan, workers=workers):
            pixels[rows.to(pixels.device)] = read.to(pixels.device)
            done += len(rows)
            report(f"reading {self.images.folder.name}", done, len(self))
        return TensorSplit(pixels, self.labels, self.classes, columns, origin=self.origin)

    def take(self, which: int | Tensor) -> "StreamedSplit":
        """The first `which` images (all of them, if there are fewer), or those at the positions `which`."""
        rows = positions(which, len(self)).to(self.labels.device)
        columns = selected(with_index(self.columns, self.labels), rows)
        return replace(self, labels=self.labels.index_select(0, rows), columns=columns)

    def with_column(self, name: str, values: Tensor) -> "StreamedSplit":
        """The same images with one more column."""
        return replace(self, columns=with_one_more(self.columns, self.labels, name, values))

    def to(self, device: torch.device | str) -> "StreamedSplit":
        """The same split, whose batches come out on another device."""
        columns = {name: column.to(device) for name, column in self.columns.items()}
        return replace(self, labels=self.labels.to(device), columns=columns)

    def fingerprint(self) -> str:
        """A digest of the files' names and sizes, the labels and the columns."""
        columns = in_order(with_index(self.columns, self.labels))
        return digest(self.classes, self.shape, self.labels, *columns, self.origin)
