"""Explanations that are kept while others are still being made, so that the same command goes on."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

import pellucid
from pellucid import config, files
from pellucid.errors import PellucidError
from pellucid.explainers import Explainer, Explanation
from pellucid.explainers.explanation import Completeness
from pellucid.ledger import checksums, digest, fingerprint
from pellucid.subjects.explained import Shown

UNFINISHED = "unfinished"
"""The folder of what is kept; it is gone when all is done."""


@dataclass(frozen=True)
class Keeping:
    """What is kept in a folder of the explanations of some pictures; what was made of others is not taken for it."""

    folder: Path
    identity: str

    @classmethod
    def of(cls, folder: Path, shown: Shown, seed: int) -> "Keeping":
        """What is kept below the folder that the explanations are written to."""
        learned = "" if shown.train is None else shown.train.fingerprint()
        place, version = str(shown.x.device.type), pellucid.__version__
        return cls(folder / UNFINISHED, digest(fingerprint(shown.model), shown.x, learned, seed, place, version))

    def known(self, explainer: Explainer, of: str | int) -> Explanation | None:
        """What was kept of an explainer and a class; none where it was not, or is damaged."""
        try:
            return _explanation(checksums.read_arrays(self._path(explainer, of)))
        except (PellucidError, OSError, KeyError, ValueError, TypeError):
            return None

    def keep(self, explainer: Explainer, of: str | int, found: Explanation) -> None:
        """Keep what an explainer says of a class."""
        files.inner_folder(self.folder)
        checksums.write_arrays(self._path(explainer, of), dict(_arrays(found)))

    def done(self) -> None:
        """Remove all of it."""
        if self.folder.is_dir():
            checksums.clear(self.folder, "*.npz")
            files.remove_folder(self.folder)

    def _path(self, explainer: Explainer, of: str | int) -> Path:
        about = digest(self.identity, config.dump(explainer), type(of).__name__, of)
        return self.folder / f"{about[:32]}.npz"


def _arrays(found: Explanation) -> Iterator[tuple[str, Any]]:
    yield "map", found.map.detach().cpu().numpy()
    yield "of", found.of.cpu().numpy()
    yield "notes", numpy.frombuffer(json.dumps(found.notes).encode(), dtype=numpy.uint8)
    if found.image is not None:
        yield "image", found.image.detach().cpu().numpy()
    if found.completeness is not None:
        yield "total", found.completeness.total.detach().cpu().numpy()
        yield "due", found.completeness.due.detach().cpu().numpy()
    if found.idle is not None:
        yield "idle", found.idle.detach().cpu().numpy()


def _explanation(arrays: Mapping[str, Any]) -> Explanation:
    def tensor(name: str) -> Tensor | None:
        return torch.from_numpy(arrays[name]) if name in arrays else None

    total, due = tensor("total"), tensor("due")
    notes = json.loads(bytes(arrays["notes"]))
    return Explanation(
        torch.from_numpy(arrays["map"]),
        torch.from_numpy(arrays["of"]),
        tensor("image"),
        tuple(tuple(map(str, own)) for own in notes),
        None if total is None or due is None else Completeness(total, due),
        tensor("idle"),
    )
