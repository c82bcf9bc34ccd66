"""Maps that are being made, one after the other in a file: every chunk of it has a checksum in the ledger."""

import hashlib
import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
from torch import Tensor

from pellucid import files
from pellucid.errors import Damaged
from pellucid.ledger import checksums


class PartialMaps:
    """A `.npy` file that grows, gone on with after the last chunk that is as it was written.

    What was written without being noted, in the moment of a kill, is dropped; what was noted and is something else
    by now is said.
    """

    def __init__(self, path: Path, about: Mapping[str, Any], batch: int) -> None:
        self.path = path
        self.batch = batch
        self.chunks = 0
        self._length = 0
        self._digest = hashlib.sha256()
        header = _header(about)
        if path.exists():
            self._recover(about, header)
            files.append(path, b"", at=self._length)
        if not self._length:
            self._write(header)

    def append(self, maps: Tensor) -> None:
        """Write the next maps, so that they are there after a power cut too."""
        self._write(maps.cpu().contiguous().numpy().tobytes())
        self.chunks += 1

    def finish(self, whole: Path) -> str:
        """Give the file its name, and say its checksum: that of what was written, which must be what lies there."""
        digest = self._digest.hexdigest()
        again = "give the same command again"
        if checksums.checksum(self.path, again) != digest:
            raise Damaged(f"'{self.path}' is damaged: it is not as it was written; {again}")
        checksums.note(whole, digest)
        files.rename(self.path, whole)
        return digest

    def _write(self, content: bytes) -> None:
        files.append(self.path, content, at=self._length)
        checksums.note(self._here(), hashlib.sha256(content).hexdigest())
        self._took(content)

    def _took(self, content: bytes) -> None:
        self._digest.update(content)
        self._length += len(content)

    def _recover(self, about: Mapping[str, Any], header: bytes) -> None:
        images, *shape = about["shape"]
        one = math.prod(shape) * numpy.dtype(about["dtype"]).itemsize
        sizes = [len(header), *(one * min(self.batch, images - first) for first in range(0, images, self.batch))]
        with files.reading(self.path) as file:
            for size in sizes:
                content = file.read(size)
                if hashlib.sha256(content).hexdigest() not in checksums.noted(self._here()):
                    break
                self._took(content)
                self.chunks += 1
        self.chunks = max(self.chunks - 1, 0)  # the header is none
        with checksums.telling():
            if checksums.noted(self._here()):
                raise Damaged(
                    f"'{self.path}' is damaged: it is not as it was written from byte {self._length} on; "
                    f"from there {checksums.MADE_AGAIN}"
                )

    def _here(self) -> Path:
        return self.path.with_name(f"{self.path.name}@{self._length}")


def _header(about: Mapping[str, Any]) -> bytes:
    """The first bytes of a .npy file."""
    buffer = io.BytesIO()
    kind = numpy.lib.format.dtype_to_descr(numpy.dtype(about["dtype"]))
    header = {"descr": kind, "fortran_order": False, "shape": tuple(about["shape"])}
    numpy.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue()
