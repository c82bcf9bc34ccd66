"""A folder of maps that were made.

maps.npy        one map for each image, to be mapped into memory
reference.json  what they are of, and the checksum of maps.npy; it is written last, and says that they are complete
maps.partial, progress.json  while they are being made
"""

import hashlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

from pellucid import files
from pellucid.data import Split
from pellucid.errors import DataError

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
            elif (path / "progress.json").exists():
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
        return (self.path / "reference.json").exists()

    @property
    def about(self) -> dict[str, Any]:
        """What the maps are of."""
        return json.loads((self.path / "reference.json").read_text())["about"]

    @property
    def fingerprint(self) -> str:
        """A short name for everything that the maps depend on."""
        return identity(self.about)

    def check(self, split: Split) -> None:
        """Refuse any images but those that the maps were made for."""
        about, found = self.about, split.fingerprint()
        if about["data"] != found:
            theirs, ours = _described(about["shape"], about["data"]), _described([len(split), *split.shape], found)
            raise DataError(f"the maps in '{self.path}' are of {theirs}, not of {ours}; make some of these images")

    def load(self) -> Tensor:
        """The maps as they were written, mapped into memory; changing them does not change the file."""
        known = json.loads((self.path / "reference.json").read_text())["checksum"]
        if not self._whole.exists() or files.checksum(self._whole) != known:
            raise DataError(f"'{self._whole}' is missing or damaged; remove the folder, and make the maps again")
        return torch.from_numpy(numpy.load(self._whole, mmap_mode="c"))

    def begin(self, about: About, batch: int) -> tuple[int, int]:
        """Make ready to append maps; how many to make at once, and how many are there already."""
        if not self._progress.exists():
            header = _header(about)
            files.write_bytes(self._partial, header)
            self._note({"about": about, "batch": batch, "done": 0, "bytes": len(header)})
            return batch, 0
        # other batches would round otherwise, and the same maps would not come out bit for bit
        progress = self._noted()
        if self._partial.exists():
            os.truncate(self._partial, progress["bytes"])  # what was written without being noted
        return progress["batch"], progress["done"]

    def append(self, maps: Tensor) -> None:
        """Write the next maps, so that they are there after a power cut too."""
        progress, content = self._noted(), maps.cpu().contiguous().numpy().tobytes()
        try:
            with self._partial.open("ab") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise DataError(f"cannot write '{self._partial}': {error.strerror}; make room, and go on") from error
        done, length = progress["done"] + len(maps), progress["bytes"] + len(content)
        self._note({**progress, "done": done, "bytes": length})

    def finish(self) -> None:
        """Give the maps their name, and say what they are."""
        about = self._noted()["about"]
        if self._partial.exists():  # else this was done before, and only the rest was not
            self._partial.replace(self._whole)
        content = {"about": about, "fingerprint": identity(about), "checksum": files.checksum(self._whole)}
        files.write_text(self.path / "reference.json", json.dumps(content, indent=2) + "\n")
        self.clear()

    def clear(self) -> None:
        """Remove what only the making needed."""
        self._progress.unlink(missing_ok=True)

    @property
    def _whole(self) -> Path:
        return self.path / "maps.npy"

    @property
    def _partial(self) -> Path:
        return self.path / "maps.partial"

    @property
    def _progress(self) -> Path:
        return self.path / "progress.json"

    def _note(self, progress: About) -> None:
        files.write_text(self._progress, json.dumps(progress, indent=2) + "\n")

    def _noted(self) -> dict[str, Any]:
        return json.loads(self._progress.read_text())


def identity(about: About) -> str:
    """A short name for everything that maps depend on."""
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]


def _header(about: About) -> bytes:
    """The first bytes of a .npy file."""
    buffer = io.BytesIO()
    kind = numpy.lib.format.dtype_to_descr(numpy.dtype(about["dtype"]))
    header = {"descr": kind, "fortran_order": False, "shape": tuple(about["shape"])}
    numpy.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue()


def _described(shape: list[int], fingerprint: str) -> str:
    return f"{shape[0]} images of {'x'.join(map(str, shape[1:]))} ({fingerprint[:8]})"
