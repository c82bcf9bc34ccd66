"""Checkpoints that survive what happens to files: each carries its checksum, and the one before it is kept.

A checkpoint is complete in its file, wherever that is copied to, so its checksum stands in it and in no ledger.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pellucid import files, limits
from pellucid.errors import CheckpointError, DataError, FileError

_KEPT = 2
_MARK = b"pellucid checkpoint, sha256 "

State = dict[str, Any]


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one run, a file per epoch in a folder."""

    folder: Path

    def save(self, epoch: int, state: State) -> None:
        """Write the state after an epoch; older files than the one before it are removed."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        content = buffer.getbuffer()
        header = _MARK + hashlib.sha256(content).hexdigest().encode() + b"\n"
        path = self.folder / f"epoch-{epoch:06d}.ckpt"
        try:
            files.inner_folder(self.folder)
            with files.replacing(path) as write:
                write(header)
                write(content)
        except FileError as error:
            left = self._newest_first()
            kept = f"{left[0].name} is intact" if left else "no earlier checkpoint exists"
            raise CheckpointError(f"{error}; {kept}") from error
        for old in self._newest_first()[_KEPT:]:
            files.remove(old)

    def latest(self) -> tuple[State | None, tuple[str, ...]]:
        """The newest state that is whole, and why newer files were passed over."""
        rejected: list[str] = []
        for path in self._newest_first():
            try:
                return _read(path), tuple(rejected)
            except (CheckpointError, DataError, FileError) as error:
                rejected.append(str(error))
        return None, tuple(rejected)

    def clear(self) -> None:
        """Remove all checkpoints: the run is complete and its weights are written."""
        if self.folder.exists():
            files.inner_folder(self.folder)  # which refuses a link, behind which somebody else's files lie
            for path in self._newest_first():
                files.remove(path)
            files.remove_folder(self.folder)

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("epoch-*.ckpt"), reverse=True)


def _read(path: Path) -> State:
    header, _, content = limits.read(path).partition(b"\n")
    if header != _MARK + hashlib.sha256(content).hexdigest().encode():
        raise CheckpointError(f"{path.name} is damaged (its checksum does not match) and was passed over")
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # what somebody else has packed fails in every way there is
        raise CheckpointError(f"{path.name} is no checkpoint that can be read and was passed over") from error
