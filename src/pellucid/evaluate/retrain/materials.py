"""What all networks of a study are trained on: its images in memory, and the ranks of their places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid import files
from pellucid.data import Split, sequential
from pellucid.evaluate.retrain.cells import Cell
from pellucid.evaluate.retrain.ranking import Ranking, Study
from pellucid.evaluate.retrain.ranks import Ranks, Unit, ranked
from pellucid.ledger import checksums
from pellucid.randomness import derive

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


_AT_ONCE = 256


class Materials:
    """The images of a study, and ranks that are made once and kept in a folder."""

    def __init__(self, study: Study, rankings: Mapping[str, Ranking], folder: Path, *, unit: Unit, seed: int) -> None:
        self.study = study
        self.rankings = rankings
        self.folder = folder
        self.unit: Unit = unit
        self.seed = seed
        self.train, self.train_labels = _whole(study.train)
        self.test, self.test_labels = _whole(study.test)
        self.mean = self.train.double().mean((0, 2, 3)).to(self.train.dtype)
        self._ranks: dict[Key, tuple[Ranks, Ranks]] = {}

    def missing(self, cells: Sequence[Cell]) -> list[Key]:
        """The orders that these cells need and that are not yet made."""
        return [key for key in self._keys(cells) if self._lacks(key)]

    def rank(self, key: Key) -> None:
        """Make an order of the places of all images, and keep it; another process that is at it is waited for."""
        with files.locked(self.folder, wait=True):
            if self._lacks(key):
                self._rank(key)

    def _rank(self, key: Key) -> None:
        name, own = key
        seed = derive(self.seed, "ranking", own)
        for split, path in zip((self.study.train, self.study.test), self._files(key), strict=True):
            values = self.rankings[name].values(self.study, split, seed)
            ranks = ranked(values, self.unit, split.shape, owner=name, seed=seed)
            ranks.save(path)

    def changed(self, cells: Sequence[Cell]) -> tuple[Changed, Changed]:
        """Training and test images as these cells have them; only their ranks stay in memory."""
        keys = self._keys(cells)
        self._ranks = {key: self._ranks.get(key) or self._loaded(key) for key in keys}
        train, test = ({key: pair[side] for key, pair in self._ranks.items()} for side in (0, 1))
        return Changed(self.train, self.mean, train, cells), Changed(self.test, self.mean, test, cells)

    def _lacks(self, key: Key) -> bool:
        return [*map(checksums.kept, self._files(key))] != [True, True]

    def _keys(self, cells: Sequence[Cell]) -> list[Key]:
        own = [(cell.ranking, cell.seed if self.rankings[cell.ranking].varies else SHARED) for cell in cells]
        return list(dict.fromkeys(own))

    def _files(self, key: Key) -> tuple[Path, Path]:
        name, own = key
        stem = quote(name, safe=" ") + ("" if own == SHARED else f"-{own}")
        return self.folder / f"{stem}-train.npz", self.folder / f"{stem}-test.npz"

    def _loaded(self, key: Key) -> tuple[Ranks, Ranks]:
        train, test = (Ranks.load(path).to(self.train.device) for path in self._files(key))
        return train, test


def _whole(split: Split) -> tuple[Float[Tensor, "n c h w"], Int[Tensor, " n"]]:
    batches = list(split.batches(sequential(split, _AT_ONCE)))
    return torch.cat([batch.x for batch in batches]), torch.cat([batch.y for batch in batches])
