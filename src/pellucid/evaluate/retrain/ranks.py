"""From how important places are to their ranks, which is all that decides what is removed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Int, Int16, Int32
from torch import Tensor

from pellucid.errors import NotFinite, ShapeError
from pellucid.evaluate.retrain.ranking import Values
from pellucid.ledger import checksums
from pellucid.randomness import Noise, derive

Unit = Literal["pixel", "scalar"]
"""What is removed at once: a pixel with all its channels, or each of its values by itself."""

_AT_ONCE = 2**22  # values that are sorted at once
_SHORT = 2**15


@dataclass(frozen=True, eq=False)
class Ranks:
    """The rank of every place, 0 for the most important: a table of planes, and each image's row in it."""

    table: Int16[Tensor, "k p h w"] | Int32[Tensor, "k p h w"]
    rows: Int[Tensor, " n"]

    @property
    def places(self) -> int:
        """How many places there are to remove."""
        return self.table[0].numel()

    def of(self, images: Int[Tensor, "*many"]) -> Int16[Tensor, "*many p h w"] | Int32[Tensor, "*many p h w"]:
        """The ranks in these images."""
        return self.table[self.rows[images]]

    def to(self, device: torch.device) -> "Ranks":
        """The same ranks on another device."""
        return Ranks(self.table.to(device), self.rows.to(device))

    def save(self, path: Path) -> None:
        """Write them, whole or not at all."""
        checksums.write_arrays(path, {"table": self.table.cpu().numpy(), "rows": self.rows.cpu().numpy()})

    @classmethod
    def load(cls, path: Path) -> "Ranks":
        """The ranks in a file, or an error that says that it is damaged and what to do."""
        arrays = checksums.read_arrays(path)
        with checksums.reading(path):
            return cls(torch.from_numpy(arrays["table"]), torch.from_numpy(arrays["rows"]))


def ranked(values: Values, unit: Unit, shape: tuple[int, int, int], *, owner: str, seed: int) -> Ranks:
    """The ranks that values give; of equal ones chance decides, by the seed and the row of the table."""
    table = values.table.detach()
    planes = table.shape[1:]
    if planes[1:] != shape[1:] or planes[0] not in (1, shape[0]):
        theirs, ours = ("x".join(map(str, sizes)) for sizes in (planes, shape))
        raise ShapeError(f"'{owner}' ranks places of {theirs} in images of {ours}; there must be a value for each")
    if not bool(table.isfinite().all()):
        raise NotFinite(f"'{owner}' has NaN or infinite values; a rank needs finite ones")
    table = table.sum(1, keepdim=True) if unit == "pixel" else table.expand(-1, *shape)
    flat, parts = table.flatten(1), list[Tensor]()
    kept = torch.int16 if flat.shape[1] <= _SHORT else torch.int32
    index = torch.arange(len(flat), device=flat.device)
    for chunk in index.split(max(1, _AT_ONCE // flat.shape[1])):
        noise = Noise(derive(seed, "ties"), chunk).uniform(flat.shape[1])
        shuffled = noise.argsort(1)
        # a stable sort leaves equal ones in the order that chance has put them in
        order = shuffled.gather(1, flat[chunk].gather(1, shuffled).argsort(dim=1, descending=True, stable=True))
        parts.append(order.argsort(1).to(kept))
    return Ranks(torch.cat(parts).view(table.shape), values.rows)
