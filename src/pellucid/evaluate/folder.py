"""A measurement's folder: what is measured, the chunks done so far, and in the end the record.

measurement.json   everything that the result depends on, and how many images a chunk has
chunks/00000.npz   while it runs
record.npz         once it is complete
"""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pellucid import files
from pellucid.errors import MeasurementError
from pellucid.evaluate.table import Table

T = TypeVar("T", bound=Table)


@dataclass(frozen=True)
class MeasurementFolder(Generic[T]):
    """The folder of one measurement, whose record is of some kind."""

    path: Path
    kind: type[T]

    def begin(self, about: Mapping[str, Any], batch: int) -> int:
        """Write down what is measured, or see that it is what was begun here; how many images a chunk has."""
        file = self.path / "measurement.json"
        if not file.exists():
            files.write_text(file, json.dumps({"about": about, "batch": batch}, indent=2) + "\n")
            return batch
        known = json.loads(file.read_text())
        if known["about"] != json.loads(json.dumps(about)):
            raise MeasurementError(f"{self.path} holds another measurement; give each a folder of its own")
        # chunks of another size would not fit between those that are there
        return int(known["batch"])

    def parts(self, chunks: int) -> list[T]:
        """The chunks done so far, up to the first that is missing."""
        present = itertools.takewhile(Path.exists, map(self._chunk, range(chunks)))
        return [self.kind.load(path) for path in present]

    def record(self) -> T | None:
        """The record, where the measurement is complete."""
        return self.kind.load(self._whole) if self._whole.exists() else None

    def keep(self, part: T, number: int) -> None:
        """Write a chunk."""
        self._chunk(number).parent.mkdir(exist_ok=True)
        part.save(self._chunk(number))

    def finish(self, parts: Sequence[T]) -> T:
        """Write the record in the place of its chunks."""
        record = self.kind.joined(parts)
        record.save(self._whole)
        self.clear()
        return record

    def clear(self) -> None:
        """Remove the chunks, which the record holds too."""
        for path in (self.path / "chunks").glob("*.npz"):
            path.unlink()

    @property
    def _whole(self) -> Path:
        return self.path / "record.npz"

    def _chunk(self, number: int) -> Path:
        return self.path / "chunks" / f"{number:05}.npz"
