"""Measurements kept row by row, as columns of one length and what they depend on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from pellucid import shape
from pellucid.ledger import checksums

T = TypeVar("T", bound="Table")


@dataclass(frozen=True, eq=False)
class Table:
    """Columns with a row per image, and everything that they depend on."""

    columns: Mapping[str, Tensor]
    about: Mapping[str, Any]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def save(self, path: Path) -> None:
        """Write the table as `.npz`, whole or not at all."""
        arrays = {name: column.cpu().numpy() for name, column in self.columns.items()}
        checksums.write_arrays(path, {"about": np.array(json.dumps(self.about)), **arrays})

    @classmethod
    def load(cls: type[T], path: Path, remedy: str = checksums.AGAIN) -> T:
        """The table in a file, or an error that says that it is damaged and what to do."""
        arrays = checksums.read_arrays(path, remedy)
        with checksums.reading(path, remedy):
            about: dict[str, Any] = json.loads(str(arrays.pop("about")))
            shape.check(about, shape.Each(shape.PLAIN), "about")
            if len({len(column) for column in arrays.values()}) != 1:
                raise ValueError("it has no columns, or columns of different lengths")
            return cls({name: torch.from_numpy(column) for name, column in arrays.items()}, about)

    @classmethod
    def joined(cls: type[T], tables: Sequence["Table"]) -> T:
        """The rows of several tables one after the other."""
        names = tables[0].columns
        return cls({name: torch.cat([part.columns[name] for part in tables]) for name in names}, tables[0].about)
