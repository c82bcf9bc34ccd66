"""A folder of work that is done chunk by chunk: what it is, the chunks done so far, and in the end one table.

measurement.json   everything that the result depends on, and how many rows a chunk has
chunks/00000.npz   what is done
chunks/00001.claim what somebody works on
record.npz         the chunks joined, in their place

What is damaged of that is said, and made again: a chunk alone, a record from the start.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from torch import Tensor

from pellucid import files
from pellucid.errors import FileError, MeasurementError, RunBusy
from pellucid.ledger import checksums
from pellucid.ledger.claims import Claims
from pellucid.ledger.job import Job
from pellucid.ledger.table import Table

T = TypeVar("T", bound=Table)
Columns = Mapping[str, Tensor]

BATCH = 128
"""So many images make a chunk where nobody says how many, and the work knows no better."""


class Chunks:
    """The chunks of one work in a folder, and who works on them; several processes may share it.

    Where they are joined in a `record` in the end, they are done for as soon as that is sound.
    """

    def __init__(self, path: Path, about: Mapping[str, Any], batch: int, record: Path | None = None) -> None:
        self.path = path
        self.about = about
        self.batch = batch
        self._record = record
        self._folder = path / "chunks"
        self._claims = Claims(self._folder)

    def begin(self) -> int:
        """Write down what is made, or see that it is what was begun here; how many rows a chunk has."""
        with files.locked(self.path, wait=True):
            files.clear_unfinished(self.path)
            size = begun(self.path / "measurement.json", self.about, self.batch, self.forget)
            self._claims.sweep()
        return size

    def forget(self) -> None:
        """Remove the chunks, at which nobody else may be."""
        if not self._claims.sweep():
            raise RunBusy(f"{self.path} is in use by another process; wait for it, or end it")
        checksums.clear(self._folder, "*.npz")

    def has(self, number: int) -> bool:
        """Whether a chunk is done; one that is damaged is said, and removed."""
        path = self.file(number)
        if checksums.kept(path):
            return True
        self.drop(path)
        return False

    def drop(self, path: Path) -> None:
        """Remove what is damaged, unless somebody has made it again by now."""
        if path.exists():
            with files.locked(self.path, wait=True):
                if not checksums.sound(path):
                    files.remove(path)

    def claim(self, number: int) -> bool:
        """Claim a chunk for this process; not where somebody else is at it, or has joined all of them."""
        if not self._claims.take(self.file(number).stem):
            return False
        if self._joined():
            self.release(number)
            return False
        return True

    def release(self, number: int) -> None:
        """Give a claim up."""
        self._claims.release(self.file(number).stem)

    def keep(self, number: int, arrays: Mapping[str, Any]) -> None:
        """Write a chunk and give up the claim; where all were joined meanwhile, nothing is left to write."""
        content = checksums.packed(arrays)
        with files.locked(self.path, wait=True):  # which lets one at a time write into the list of checksums
            if not self._joined():
                files.inner_folder(self._folder)
                checksums.write(self.file(number), content)
        self.release(number)

    def close(self) -> None:
        """Give up all claims; a folder in which no chunk was ever kept goes with them."""
        self._claims.close()
        if self._folder.exists():
            files.remove_folder(self._folder)

    def sweep(self) -> None:
        """Remove the claims of processes that are gone."""
        self._claims.sweep()

    def file(self, number: int) -> Path:
        """The file that a chunk is kept in."""
        return self._folder / f"{number:05}.npz"

    def _joined(self) -> bool:
        return self._record is not None and checksums.sound(self._record)


class Folder(Generic[T]):
    """A store of chunks in a folder, which are joined to one table in the end."""

    def __init__(self, path: Path, kind: type[T], about: Mapping[str, Any], batch: int) -> None:
        self.path = path
        self.parts: dict[int, T] = {}  # those that were made, or read, so far
        self._kind = kind
        self._about = about
        self._record = path / "record.npz"
        self._chunks = Chunks(path, about, batch, self._record)

    def begin(self) -> int:
        """Write down what is made, or see that it is what was begun here; how many rows a chunk has."""
        return self._chunks.begin()

    def whole(self) -> T | None:
        """The table, where the work is complete."""
        found = self._read(self._record)
        if found is not None:
            _check_same(self.path, self._about, found.about)
            with files.locked(self.path, wait=True):
                self._clear()  # which a kill may have prevented
            self.parts = {0: found}
        return found

    def has(self, number: int) -> bool:
        """Whether a chunk is done."""
        if number not in self.parts:
            path = self._chunks.file(number)
            if (part := self._read(path)) is None:
                self._chunks.drop(path)
                return False
            self.parts[number] = part
        return True

    def claim(self, number: int) -> bool:
        """Claim a chunk for this process; not where somebody else is at it, or has joined all of them."""
        return self._chunks.claim(number)

    def release(self, number: int) -> None:
        """Give a claim up."""
        self._chunks.release(number)

    def keep(self, number: int, columns: Columns) -> None:
        """Write a chunk, and give up the claim."""
        part = self._kind(columns, self._about)
        self._chunks.keep(number, part.arrays())
        self.parts[number] = part

    def finish(self) -> T:
        """Write the table in the place of its chunks, unless somebody else has."""
        with files.locked(self.path, wait=True):
            if checksums.sound(self._record):
                whole = self._kind.load(self._record)
            else:
                whole = self._kind.joined([self.parts[number] for number in sorted(self.parts)])
                whole.save(self._record)
            self._clear()
        return whole

    def finished(self) -> T | None:
        """The table, where somebody else has joined it meanwhile."""
        if not checksums.sound(self._record):
            return None
        whole = self._kind.load(self._record)
        with files.locked(self.path, wait=True):
            self._clear()  # where whoever joined them was ended before it could
        self.parts = {0: whole}
        return whole

    def close(self) -> None:
        """Give up all claims."""
        self._chunks.close()

    def _clear(self) -> None:
        self._chunks.sweep()
        checksums.clear(self.path / "chunks", "*.npz")

    def _read(self, path: Path) -> T | None:
        try:
            with checksums.telling():
                return self._kind.load(path, checksums.MADE_AGAIN) if path.exists() else None
        except FileError:
            if path.exists():
                raise
        return None  # somebody else has joined it with the others in this moment


class Memory(Generic[T]):
    """A store of chunks that are kept nowhere, for this process alone."""

    def __init__(self, kind: type[T], about: Mapping[str, Any], batch: int) -> None:
        self.path = None
        self.parts: dict[int, T] = {}
        self._kind = kind
        self._about = about
        self._batch = batch

    def begin(self) -> int:
        """How many rows a chunk has."""
        return self._batch

    def whole(self) -> T | None:
        """The table, where the work is complete: none, since memory begins empty."""
        return None

    def has(self, number: int) -> bool:
        """Whether a chunk is done."""
        return number in self.parts

    def claim(self, number: int) -> bool:
        """Claim a chunk."""
        return True

    def release(self, number: int) -> None:
        """Give a claim up."""

    def keep(self, number: int, columns: Columns) -> None:
        """Keep a chunk."""
        self.parts[number] = self._kind(columns, self._about)

    def finish(self) -> T:
        """Join the chunks to the whole table."""
        return self._kind.joined([self.parts[number] for number in sorted(self.parts)])

    def finished(self) -> T | None:
        """The table, where somebody else has joined it meanwhile: none, since nobody else is at work."""
        return None

    def close(self) -> None:
        """Give up all claims."""


def stored(path: Path | None, kind: type[T], about: Mapping[str, Any], job: Job) -> Folder[T] | Memory[T]:
    """A store in a folder, or in memory where none is named, with chunks as the job has them."""
    batch = job.batch or BATCH
    return Memory(kind, about, batch) if path is None else Folder(path, kind, about, batch)


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
