"""A folder of work that is done chunk by chunk: what it is, the chunks done so far, and in the end the whole.

measurement.json   everything that the result depends on, and how many rows a chunk has
chunks/00000.npz   what is done
record.npz         the chunks joined, where there is one of them; the chunks go then

What is damaged of that is said, and made again: a chunk alone, a whole from the start.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pellucid import files
from pellucid.errors import MeasurementError
from pellucid.ledger import checksums
from pellucid.ledger.table import Table

T = TypeVar("T", bound=Table)


@dataclass(frozen=True)
class Folder(Generic[T]):
    """The folder of one work, whose tables are of some kind."""

    path: Path
    kind: type[T]

    @property
    def about(self) -> dict[str, Any]:
        """Everything that the work depends on."""
        with checksums.reading(self._settings):
            return checksums.read_json(self._settings)["about"]

    @property
    def batch(self) -> int:
        """How many rows a chunk has."""
        with checksums.reading(self._settings):
            return int(checksums.read_json(self._settings)["batch"])

    def begin(self, about: Mapping[str, Any], batch: int) -> int:
        """Write down what is made, or see that it is what was begun here; how many rows a chunk has."""
        return begun(self._settings, about, batch, self.clear)

    def parts(self, chunks: int) -> dict[int, T]:
        """The chunks that are done, by number."""
        found = {number: self._kept(self.chunk(number)) for number in range(chunks)}
        return {number: part for number, part in found.items() if part is not None}

    def whole(self, about: Mapping[str, Any]) -> T | None:
        """The chunks joined, where the work is complete."""
        found = self._kept(self._whole)
        if found is not None:
            _check_same(self.path, about, found.about)
        return found

    def keep(self, part: T, number: int) -> None:
        """Write a chunk of the table."""
        files.inner_folder(self._chunks)
        part.save(self.chunk(number))

    def finish(self, parts: Mapping[int, T]) -> T:
        """Write the whole in the place of its chunks."""
        whole = self.kind.joined([parts[number] for number in sorted(parts)])
        whole.save(self._whole)
        self.clear()
        return whole

    def clear(self) -> None:
        """Remove the chunks, which the whole table has made needless."""
        checksums.clear(self._chunks, "*.npz")

    def chunk(self, number: int) -> Path:
        """The file of a chunk."""
        return self._chunks / f"{number:05}.npz"

    def _kept(self, path: Path) -> T | None:
        if path.exists():
            with checksums.telling():
                return self.kind.load(path, checksums.MADE_AGAIN)
        return None

    @property
    def _settings(self) -> Path:
        return self.path / "measurement.json"

    @property
    def _whole(self) -> Path:
        return self.path / "record.npz"

    @property
    def _chunks(self) -> Path:
        return self.path / "chunks"


def begun(file: Path, about: Mapping[str, Any], batch: int, forget: Callable[[], None]) -> int:
    """Write down what is made here, or see that it is what was begun; how many rows a chunk has.

    A file that is damaged or gone is written again. Unless the same content had been there, what was made is
    forgotten: between chunks of another size, or of other things, it would not fit.
    """
    content = json.dumps({"about": about, "batch": batch}, indent=2) + "\n"
    if file.exists():
        with checksums.telling(), checksums.reading(file, checksums.MADE_AGAIN):
            known = checksums.read_json(file, checksums.MADE_AGAIN)
            _check_same(file.parent, about, known["about"])
            return int(known["batch"])
    if not checksums.vouched(file, content):
        forget()
    checksums.write(file, content)
    return batch


def _check_same(folder: Path, about: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Refuse to go on with what depends on other things."""
    if known != json.loads(json.dumps(about)):
        raise MeasurementError(f"{folder} holds another measurement; give each a folder of its own")
