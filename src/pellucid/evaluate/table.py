"""Measurements kept row by row, as columns of one length and what they depend on."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from pellucid import files
from pellucid.errors import MeasurementError

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
        buffer = io.BytesIO()
        np.savez_compressed(buffer, about=np.array(json.dumps(self.about)), **arrays)  # pyright: ignore[reportArgumentType]
        files.write_bytes(path, buffer.getvalue())

    @classmethod
    def load(cls: type[T], path: Path) -> T:
        """The table in a file."""
        try:
            with np.load(path, allow_pickle=False) as archive:
                about: dict[str, Any] = json.loads(str(archive["about"]))
                names = [name for name in archive.files if name != "about"]
                return cls({name: torch.from_numpy(archive[name]) for name in names}, about)
        except (OSError, KeyError, ValueError, BadZipFile) as error:
            raise MeasurementError(f"{path} is no record that can be read: {error}") from error

    @classmethod
    def joined(cls: type[T], tables: Sequence["Table"]) -> T:
        """The rows of several tables one after the other."""
        names = tables[0].columns
        return cls({name: torch.cat([part.columns[name] for part in tables]) for name in names}, tables[0].about)
