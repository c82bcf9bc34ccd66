"""Measurements kept row by row, as columns of one length and what they depend on."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from pellucid import shape
from pellucid.ledger import checksums
from pellucid.printable import printable

T = TypeVar("T", bound="Table")


@dataclass(frozen=True, eq=False)
class Table:
    """Columns with a row per image, and everything that they depend on."""

    columns: Mapping[str, Tensor]
    about: Mapping[str, Any]

    def __repr__(self) -> str:
        return summary(self, {"columns": lambda: ", ".join(self.columns)})

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def arrays(self) -> dict[str, Any]:
        """The columns as arrays, and beside them what they depend on."""
        columns = {name: column.cpu().numpy() for name, column in self.columns.items()}
        return {"about": np.array(json.dumps(self.about)), **columns}

    def save(self, path: Path) -> None:
        """Write the table as `.npz`, whole or not at all."""
        checksums.write_arrays(path, self.arrays())

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


def summary(table: Table, figures: Mapping[str, Callable[[], object]], about: str = "") -> str:
    """A table in a few lines: its kind, what it is about, how many images it has, and figures.

    Where the premise of a figure does not hold, the line says why.
    """
    images = len(table) if table.columns else 0
    lines = [f"{type(table).__name__}{about and f' of {about}'} on {images} image{'s' * (images != 1)}"]
    width = max(map(len, figures), default=0)
    for name, figure in figures.items():
        try:
            found = str(figure())
        except Exception as error:  # to show a table never fails, whatever a file made it of
            found = f"none: {error}"
        lines.append(f"  {name:{width}}  {found}")
    return "\n".join(map(printable, lines))


def kind_in(about: Mapping[str, Any], name: str) -> str:
    """What `about` says that something is: the name that a registry has for it, or its own words."""
    found = about.get(name, "unknown")
    if isinstance(found, list):
        return " and ".join(kind_in({name: one}, name) for one in found)
    return str(found.get("kind", found)) if isinstance(found, Mapping) else str(found)
