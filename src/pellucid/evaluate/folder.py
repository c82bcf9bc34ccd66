"""A measurement's folder: what is measured, the chunks done so far, and in the end the record.

measurement.json   everything that the result depends on, and how many images a chunk has
chunks/00000.npz   while it runs
record.npz         once it is complete

What is damaged of that is said, and made again: a chunk alone, a record from the start.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pellucid import files, sealed
from pellucid.begun import begun, same
from pellucid.evaluate.table import Table

T = TypeVar("T", bound=Table)


@dataclass(frozen=True)
class MeasurementFolder(Generic[T]):
    """The folder of one measurement, whose record is of some kind."""

    path: Path
    kind: type[T]

    def begin(self, about: Mapping[str, Any], batch: int) -> int:
        """Write down what is measured, or see that it is what was begun here; how many images a chunk has."""
        return begun(self.path / "measurement.json", about, batch, self.clear)

    def parts(self, chunks: int) -> dict[int, T]:
        """The chunks that are done, by number."""
        found = {number: self._kept(self._chunk(number)) for number in range(chunks)}
        return {number: part for number, part in found.items() if part is not None}

    def record(self, about: Mapping[str, Any]) -> T | None:
        """The record of all that, where the measurement is complete."""
        record = self._kept(self._whole)
        if record is not None:
            same(self.path, about, record.about)
        return record

    def keep(self, part: T, number: int) -> None:
        """Write a chunk."""
        files.inner_folder(self._chunks)
        part.save(self._chunk(number))

    def finish(self, parts: Mapping[int, T]) -> T:
        """Write the record in the place of its chunks."""
        record = self.kind.joined([parts[number] for number in sorted(parts)])
        record.save(self._whole)
        self.clear()
        return record

    def clear(self) -> None:
        """Remove the chunks, which the record holds too."""
        sealed.clear(self._chunks, "*.npz")

    def _kept(self, path: Path) -> T | None:
        if path.exists():
            with sealed.telling():
                return self.kind.load(path, sealed.MADE_AGAIN)
        return None

    @property
    def _whole(self) -> Path:
        return self.path / "record.npz"

    @property
    def _chunks(self) -> Path:
        return self.path / "chunks"

    def _chunk(self, number: int) -> Path:
        return self._chunks / f"{number:05}.npz"
