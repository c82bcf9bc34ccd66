"""The folder of a study.

study.json             everything that figures depend on
cells/NAME-SEED.json   what was measured of a row's network of a seed
cells/NAME-SEED.claim  what somebody works on
results.json           all figures, what rows come to over seeds, and the outcome of each claim
figures.csv, tables.md the figures to read elsewhere
report.html            the page
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pellucid import files, plain
from pellucid.errors import RunBusy
from pellucid.ledger import Claims, checksums
from pellucid.ledger.folder import begun
from pellucid.studies.cell import Cell, Measured


class StudyFolder:
    """Where the cells of a study are kept; several processes may work in it.

    Failures are not kept: whoever works on the study again tries them again.
    """

    def __init__(self, path: Path, about: Mapping[str, Any], cells: Sequence[Cell]) -> None:
        self.path = path
        self.about = about
        self.cells = cells
        self._folder = path / "cells"
        self._claims = Claims(self._folder)
        self._made: dict[int, Measured] = {}

    def begin(self) -> int:
        """Write down what is measured, or see that it is what was begun here; a chunk is one cell."""
        with files.locked(self.path, wait=True):
            files.clear_unfinished(self.path)
            begun(self.path / "study.json", self.about, 1, self.forget)
            self._claims.sweep()
        return 1

    def forget(self) -> None:
        """Remove the cells, at which nobody else may be."""
        if not self._claims.sweep():
            raise RunBusy(f"{self.path} is in use by another process; wait for it, or end it")
        checksums.clear(self._folder, "*.json")

    def whole(self) -> list[Measured] | None:
        """All cells, where each has been measured."""
        return self.finish() if all(self.has(number) for number in range(len(self.cells))) else None

    def has(self, number: int) -> bool:
        """Whether a cell is done; one that is damaged is said, and removed."""
        if number in self._made:
            return True
        path = self._file(number)
        with checksums.telling(), checksums.reading(path, checksums.MADE_AGAIN):
            if path.exists():
                self._made[number] = plain.build(Measured, checksums.read_json(path, checksums.MADE_AGAIN))
                return True
        if path.exists():
            with files.locked(self.path, wait=True):
                if not checksums.sound(path):
                    files.remove(path)
        return False

    def claim(self, number: int) -> bool:
        """Claim a cell for this process; not where somebody else is at it."""
        return self._claims.take(self.cells[number].file)

    def release(self, number: int) -> None:
        """Give a claim up."""
        self._claims.release(self.cells[number].file)

    def keep(self, number: int, made: Measured) -> None:
        """Write what a cell came to, unless something failed, and give up the claim."""
        if not (made.failure or made.broken):
            with files.locked(self.path, wait=True):
                files.inner_folder(self._folder)
                checksums.write_json(self._file(number), plain.dump(made))
        self._made[number] = made
        self.release(number)

    def finish(self) -> list[Measured]:
        """All cells in their order."""
        return [self._made[number] for number in range(len(self.cells))]

    def finished(self) -> list[Measured] | None:
        """Nothing: cells are joined by whoever looks at them."""
        return None

    def close(self) -> None:
        """Give up all claims."""
        self._claims.close()

    def known(self) -> list[Measured]:
        """The cells that are done so far."""
        return [self._made[number] for number in range(len(self.cells)) if self.has(number)]

    def _file(self, number: int) -> Path:
        return self._folder / f"{self.cells[number].file}.json"
