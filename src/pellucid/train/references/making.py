"""Making the maps of a whole split; what is done is kept, so that a making that was killed goes on."""

import hashlib
import io
import math
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy
import torch
from torch import Tensor, nn

from pellucid import config, files
from pellucid.data import Split
from pellucid.errors import Damaged, DataError, NotFinite, RunBusy
from pellucid.explainers import Explainer
from pellucid.kinds import in_single
from pellucid.ledger import (
    Claims,
    Job,
    Progress,
    begun,
    checksums,
    chunked,
    fingerprint,
    finished,
    identity,
    in_halves_on_oom,
    steps_in_chunks,
)
from pellucid.train.references.map_folder import MapFolder

Precision = Literal["float16", "float32"]


def make(
    model: nn.Module,
    split: Split,
    explainer: Explainer,
    out: Path,
    *,
    of: int | Literal["label", "predicted"] = "label",
    seed: int = 0,
    dtype: Precision = "float32",
    job: Job = Job(),
) -> MapFolder:
    """The maps of every image of a split, in a folder inside `out` that is named by all that they depend on.

    The same call goes on where it was stopped, and finds again what is complete. Several processes may do so at once.
    Where the job does not say how many, 32 images are explained at once, or 512 on an accelerator. In float16 maps
    take half the room, keep three digits, and lose what is smaller than 6e-8.
    """
    return finished(make_steps(model, split, explainer, out, of=of, seed=seed, dtype=dtype, job=job), job)


def make_steps(
    model: nn.Module,
    split: Split,
    explainer: Explainer,
    out: Path,
    *,
    of: int | Literal["label", "predicted"] = "label",
    seed: int = 0,
    dtype: Precision = "float32",
    job: Job = Job(),
) -> Generator[Progress, None, MapFolder]:
    """Make maps as `make` does, as a generator that says how far it is."""
    if not len(split):
        raise DataError("this split has no images; make maps of one or more")
    about: dict[str, Any] = {
        "teacher": fingerprint(model),
        "data": split.fingerprint(),
        "explainer": config.dump(explainer.resolved(split.shape)),
        "of": of,
        "seed": seed,
        "dtype": dtype,
        "shape": [len(split), *split.shape],
    }
    (first,) = split.batches([torch.arange(1)])
    model = in_single(model, first.x)
    folder = MapFolder(out / f"{about['explainer']['kind']}-{identity(about)}")
    store = PartialMaps(folder, about, job.batch or (512 if split.labels.is_cuda else 32))

    def made(numbers: Iterator[int], size: int) -> Iterator[Tensor]:
        for _, images in chunked(split, numbers, size):
            found = in_halves_on_oom(lambda some: explainer.on(model, some, of, seed=seed).map, images)
            yield _narrowed(torch.cat(found), dtype)

    return (yield from steps_in_chunks(store, made, rows=len(split), doing="maps", job=job))


def _narrowed(maps: Tensor, dtype: Precision) -> Tensor:
    narrow = maps.to({"float16": torch.float16, "float32": torch.float32}[dtype])
    if not narrow.isfinite().all():
        raise NotFinite(f"maps reach {float(maps.abs().max()):.3g}, which {dtype} cannot hold; keep them as float32")
    return narrow


class PartialMaps:
    """A store of maps in one `.npy` file, so large that they are never copied: chunks lie where the whole has them.

    What was written without being noted, in the moment of a kill, is made again; what was noted and is something else
    by now is said.
    """

    def __init__(self, folder: MapFolder, about: Mapping[str, Any], batch: int) -> None:
        self.path = folder.path
        self._folder = folder
        self._about = about
        self._batch = batch
        self._header = _header(about)
        self._images = int(about["shape"][0])
        self._one = math.prod(about["shape"][1:]) * numpy.dtype(about["dtype"]).itemsize
        self._partial = folder.path / "maps.partial"
        self._progress = folder.path / "progress.json"
        self._claims = Claims(folder.path)
        self._whole = self._said = False

    def begin(self) -> int:
        """Write down what is made, or see that it is what was begun here; how many maps a chunk has."""
        with files.locked(self.path, wait=True):
            files.clear_unfinished(self.path)
            self._whole = self._folder.mended(self._about)
            if self._whole:
                files.remove(self._progress)  # which a kill may have prevented
                return self._batch
            if not self._partial.exists():
                self._forget()
            self._folder.remove()
            self._batch = begun(self._progress, self._about, self._batch, self._forget)
            if not self._sound(self._partial, 0, len(self._header)):
                self._write(self._header, 0)
            self._claims.sweep()
        return self._batch

    def whole(self) -> MapFolder | None:
        """The folder, where all maps are in it."""
        return self._folder if self._whole else None

    def has(self, number: int) -> bool:
        """Whether a chunk is done; what is damaged is said, and made again."""
        first, size = self._place(number)
        return self._partial.exists() and self._sound(self._partial, first, size)

    def claim(self, number: int) -> bool:
        """Claim a chunk for this process; not where somebody else is at it, or all is done."""
        if not self._claims.take(f"{number:05}"):
            return False
        if self._folder.complete:
            self.release(number)
            return False
        return True

    def release(self, number: int) -> None:
        """Give a claim up."""
        self._claims.release(f"{number:05}")

    def keep(self, number: int, maps: Tensor) -> None:
        """Write a chunk, so that it is there after a power cut too, and give up the claim.

        Where somebody else has finished them all meanwhile, nothing is left to write.
        """
        with files.locked(self.path, wait=True):
            if not self._folder.complete:
                self._write(maps.cpu().contiguous().numpy().tobytes(), self._place(number)[0])
        self.release(number)

    def finish(self) -> MapFolder:
        """Give the file its name, and say its checksum: that of what was written, which must be what lies there."""
        with files.locked(self.path, wait=True):
            if not self._folder.complete:
                digest = self._checked()
                checksums.note(self._folder.maps, digest)
                files.rename(self._partial, self._folder.maps)
                self._folder.say(self._about, digest)
            files.remove(self._progress)
            self._claims.sweep()
        return self._folder

    def finished(self) -> MapFolder | None:
        """The folder, where somebody else has made the last of them."""
        return self._folder if self._folder.complete else None

    def close(self) -> None:
        """Give up all claims."""
        self._claims.close()

    def _place(self, number: int) -> tuple[int, int]:
        """From which byte on a chunk lies, and how long it is."""
        first = number * self._batch
        return len(self._header) + first * self._one, min(self._batch, self._images - first) * self._one

    def _write(self, content: bytes, at: int) -> None:
        files.write_at(self._partial, content, at)
        checksums.note(self._named(at), hashlib.sha256(content).hexdigest())

    def _sound(self, path: Path, at: int, size: int) -> bool:
        known = checksums.noted(self._named(at))
        if not known:
            return False
        with files.reading(path) as file:
            file.seek(at)
            if hashlib.sha256(file.read(size)).hexdigest() in known:
                return True
        with checksums.telling():
            if not self._said:
                self._said = True
                raise Damaged(
                    f"'{path}' is damaged: it is not as it was written at byte {at}; what is damaged is made again"
                )
        return False

    def _checked(self) -> str:
        """The checksum of the file, of which every part must be as it was written."""
        count = -(-self._images // self._batch)
        places = [(0, len(self._header)), *map(self._place, range(count))]
        whole = hashlib.sha256()
        files.append(self._partial, b"", at=sum(size for _, size in places))
        with files.reading(self._partial) as file:
            for at, size in places:
                content = file.read(size)
                if hashlib.sha256(content).hexdigest() not in checksums.noted(self._named(at)):
                    raise Damaged(
                        f"'{self._partial}' is damaged: it is not as it was written; give the same command again"
                    )
                whole.update(content)
        return whole.hexdigest()

    def _named(self, at: int) -> Path:
        return self._partial.with_name(f"{self._partial.name}@{at}")

    def _forget(self) -> None:
        """Remove everything, and last what vouches for it: what was noted must not be taken for what comes."""
        if not self._claims.sweep():
            raise RunBusy(f"{self.path} is in use by another process; wait for it, or end it")
        self._folder.remove()
        for path in (self._partial, self._progress, self.path / checksums.LEDGER):
            files.remove(path)


def _header(about: Mapping[str, Any]) -> bytes:
    """The first bytes of a .npy file."""
    buffer = io.BytesIO()
    kind = numpy.lib.format.dtype_to_descr(numpy.dtype(about["dtype"]))
    header = {"descr": kind, "fortran_order": False, "shape": tuple(about["shape"])}
    numpy.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue()
