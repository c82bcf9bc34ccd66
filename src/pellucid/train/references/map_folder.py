"""A folder of maps that were made.

maps.npy        one map for each image, to be mapped into memory
reference.json  what they are of, and the checksum of maps.npy; it is written last, and says that they are complete
maps.partial, progress.json  while they are being made
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

from pellucid import files
from pellucid.data import Split
from pellucid.errors import Damaged, DataError
from pellucid.ledger import begun, checksums, identity
from pellucid.train.references.partial_maps import PartialMaps

About = Mapping[str, Any]


@dataclass(frozen=True)
class MapFolder:
    """The folder of one set of maps."""

    path: Path

    @classmethod
    def open(cls, path: Path) -> "MapFolder":
        """The folder of maps that are complete."""
        folder = cls(path)
        if not folder.complete:
            if not path.is_dir():
                what = "it does not exist"
            elif (path / "progress.json").exists() or folder._reference.exists():
                what = "they are not complete; go on with the command that began them"
            else:
                what = "it has no reference.json"
            raise DataError(
                f"'{path}' holds no maps: {what}; 'pellucid references' makes some and says where they lie"
            )
        return folder

    @property
    def complete(self) -> bool:
        """Whether the maps of all images are there."""
        return self._reference.exists() and self._whole.exists()

    @property
    def about(self) -> dict[str, Any]:
        """The description of the maps: whose they are, of which images."""
        with checksums.reading(self._reference):
            return checksums.read_json(self._reference)["about"]

    @property
    def fingerprint(self) -> str:
        """A short name for everything that the maps depend on."""
        return identity(self.about)

    def check(self, split: Split) -> None:
        """Refuse any images but those that the maps were made for."""
        about, found = self.about, split.fingerprint()
        with checksums.reading(self._reference):
            if about["data"] != found:
                theirs, ours = (
                    _described(about["shape"], about["data"]),
                    _described([len(split), *split.shape], found),
                )
                raise DataError(
                    f"the maps in '{self.path}' are of {theirs}, not of {ours}; make some of these images"
                )

    def load(self) -> Tensor:
        """The maps as they were written, mapped into memory; changing them does not change the file."""
        with checksums.reading(self._reference):
            known = checksums.read_json(self._reference)["checksum"]
        if checksums.checksum(self._whole) != known:
            raise Damaged(f"'{self._whole}' is damaged: it is not as it was written; {checksums.AGAIN}")
        with checksums.reading(self._whole):
            return torch.from_numpy(numpy.load(self._whole, mmap_mode="c"))

    def mended(self, about: About) -> bool:
        """Whether all maps are there as they were written; what is damaged is said, and their description mended."""
        if not self._whole.exists():
            return False
        with checksums.telling():
            digest, known = checksums.checksum(self._whole, checksums.MADE_AGAIN), checksums.noted(self._whole)
            said = False
            if self._reference.exists():
                with checksums.telling(), checksums.reading(self._reference, checksums.MADE_AGAIN):
                    known, said = {checksums.read_json(self._reference, checksums.MADE_AGAIN)["checksum"]}, True
            if digest not in known:
                raise Damaged(f"'{self._whole}' is damaged: it is not as it was written; {checksums.MADE_AGAIN}")
            if not said:
                self._say(about, digest)
            return True
        return False

    def begin(self, about: About, batch: int) -> PartialMaps:
        """Make ready to append maps, as many at once as before, and after those that are there already."""
        if not self._partial.exists():
            self._forget()
        batch = begun(self._progress, about, batch, self._forget)
        return PartialMaps(self._partial, about, batch)

    def finish(self, about: About, maps: PartialMaps) -> None:
        """Give the maps their name, and say what they are."""
        self._say(about, maps.finish(self._whole))
        self.clear()

    def clear(self) -> None:
        """Remove what only the making needed."""
        files.remove(self._progress)

    def _forget(self) -> None:
        """Remove everything, and last what vouches for it: what was noted must not be taken for what comes."""
        for path in (self._reference, self._whole, self._partial, self._progress, self.path / checksums.LEDGER):
            files.remove(path)

    def _say(self, about: About, digest: str) -> None:
        checksums.write_json(self._reference, {"about": about, "fingerprint": identity(about), "checksum": digest})

    @property
    def _reference(self) -> Path:
        return self.path / "reference.json"

    @property
    def _whole(self) -> Path:
        return self.path / "maps.npy"

    @property
    def _partial(self) -> Path:
        return self.path / "maps.partial"

    @property
    def _progress(self) -> Path:
        return self.path / "progress.json"


def _described(shape: list[int], fingerprint: str) -> str:
    return f"{shape[0]} images of {'x'.join(map(str, shape[1:]))} ({fingerprint[:8]})"
