"""Images in which places are replaced by the mean: made for each network when it needs them, never kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.evaluate.retrain.cells import Cell
from pellucid.evaluate.retrain.ranks import Ranks

Key = tuple[str, int]
"""A ranking, and the seed that its order belongs to, or `SHARED`."""

SHARED = -1


@dataclass(frozen=True, eq=False)
class Changed:
    """The images of a split as each of several cells has them."""

    images: Float[Tensor, "n c h w"]
    mean: Float[Tensor, " c"]
    ranks: Mapping[Key, Ranks]
    cells: Sequence[Cell]

    def __call__(self, chosen: Int[Tensor, "cells b"]) -> Float[Tensor, "cells b c h w"]:
        """Each cell's own images, changed as its protocol has it."""
        x, mean = self.images[chosen], self.mean.view(-1, 1, 1)
        parts: list[Tensor] = []
        # cells of one order stand together, and its ranks are gathered at once
        for key, members in groupby(range(len(self.cells)), lambda number: self._key(self.cells[number])):
            rows = list(members)
            part, ranks = slice(rows[0], rows[-1] + 1), self.ranks[key]
            counts = [self.cells[row].count(ranks.places) for row in rows]
            kept = [self.cells[row].protocol == "kar" for row in rows]
            first = ranks.of(chosen[part]) < self._column(counts)
            parts.append(torch.where(first ^ self._column(kept), mean, x[part]))
        return torch.cat(parts)

    def _key(self, cell: Cell) -> Key:
        own = (cell.ranking, cell.seed)
        return own if own in self.ranks else (cell.ranking, SHARED)

    def _column(self, values: list[int] | list[bool]) -> Tensor:
        return torch.tensor(values, device=self.images.device).view(-1, 1, 1, 1, 1)
