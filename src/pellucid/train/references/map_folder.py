"""A folder of maps that were made.

maps.npy        one map for each image, to be mapped into memory
reference.json  what they are of, and the checksum of maps.npy; it is written last, and says that they are complete
maps.partial, progress.json, 00003.claim  while they are being made
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
from pellucid.errors import Damaged, DataError, count_of
from pellucid.ledger import checksums, identity

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
        """Whether all maps are there."""
        return self._reference.exists() and self.maps.exists()

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
        if checksums.checksum(self.maps) != known:
            raise Damaged(f"'{self.maps}' is damaged: it is not as it was written; {checksums.AGAIN}")
        with checksums.reading(self.maps):
            return torch.from_numpy(numpy.load(self.maps, mmap_mode="c"))

    def mended(self, about: About) -> bool:
        """Whether all maps are there as they were written; what is damaged is said, and their description mended."""
        if not self.maps.exists():
            return False
        with checksums.telling():
            digest, known = checksums.checksum(self.maps, checksums.MADE_AGAIN), checksums.noted(self.maps)
            said = False
            if self._reference.exists():
                with checksums.telling(), checksums.reading(self._reference, checksums.MADE_AGAIN):
                    known, said = {checksums.read_json(self._reference, checksums.MADE_AGAIN)["checksum"]}, True
            if digest not in known:
                raise Damaged(f"'{self.maps}' is damaged: it is not as it was written; {checksums.MADE_AGAIN}")
            if not said:
                self.say(about, digest)
            return True
        return False

    def remove(self) -> None:
        """Remove the maps and what is said of them."""
        files.remove(self._reference)
        files.remove(self.maps)

    def say(self, about: About, digest: str) -> None:
        """Write what the maps are of, which makes them complete."""
        checksums.write_json(self._reference, {"about": about, "fingerprint": identity(about), "checksum": digest})

    @property
    def maps(self) -> Path:
        """The file of all maps."""
        return self.path / "maps.npy"

    @property
    def _reference(self) -> Path:
        return self.path / "reference.json"


def _described(shape: list[int], fingerprint: str) -> str:
    return f"{count_of(shape[0], 'image')} of {'x'.join(map(str, shape[1:]))} ({fingerprint[:8]})"
