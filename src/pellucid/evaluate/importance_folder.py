"""The explanations of many images, chunk by chunk, from which class importance is computed afterwards.

explanations.json  everything that they depend on, and how many images a chunk has
vocabulary.npz     where superpixels have words
chunks/00000.npz   a row of coefficients for each image
"""

import io
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy
import torch
from torch import Tensor

from pellucid import files
from pellucid.errors import MeasurementError
from pellucid.explain.normlime import Importance, Rule, Tally, Vocabulary

Columns = Mapping[str, Tensor]


@dataclass(frozen=True)
class ImportanceFolder:
    """The folder of one set of explanations."""

    path: Path

    @property
    def about(self) -> dict[str, Any]:
        """Everything that the explanations depend on."""
        return json.loads(self._settings.read_text())["about"]

    @property
    def done(self) -> int:
        """How many chunks there are, up to the first that is missing."""
        return sum(1 for _ in itertools.takewhile(Path.exists, map(self._chunk, itertools.count())))

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The words for superpixels, where there are any yet."""
        return Vocabulary.load(self._words) if self._words.exists() else None

    def chunks(self) -> Iterator[Columns]:
        """The explanations, a chunk of images at a time."""
        return map(_read, map(self._chunk, range(self.done)))

    def tally(self, rule: Rule) -> Tally:
        """The sums over all explanations, of which one chunk is in memory at a time."""
        about = self.about
        tally = Tally.empty(rule, classes=about["classes"], features=about["features"])
        for chunk in self.chunks():
            used = ~chunk["idle"] if "words" in chunk else None
            tally = tally.add(chunk["coefficients"], chunk["of"], used=used, words=chunk.get("words"))
        return tally

    def importance(self, rule: Rule) -> Importance:
        """How important each feature is by this rule."""
        return self.tally(rule).importance()

    def fit(self) -> float | None:
        """The mean share of the network's answers that the linear models account for, adjusted R².

        Images that nothing had any effect on are left out. There is none where masks are too few to tell.
        """
        found = torch.cat([chunk["adjusted_r2"][chunk["coefficients"].any(1)] for chunk in self.chunks()])
        return float(found.mean()) if len(found) and bool(found.isfinite().all()) else None

    def idle(self) -> float:
        """The share of an image's segments that hide nothing, on average: they are as the baseline already."""
        return float(torch.cat([chunk["idle"].double().sum(1) / chunk["segments"] for chunk in self.chunks()]).mean())

    def begin(self, about: Mapping[str, Any], batch: int) -> int:
        """Write down what is explained, or see that it is what was begun here; how many images a chunk has."""
        if not self._settings.exists():
            files.write_text(self._settings, json.dumps({"about": about, "batch": batch}, indent=2) + "\n")
            return batch
        known = json.loads(self._settings.read_text())
        if known["about"] != json.loads(json.dumps(about)):
            raise MeasurementError(f"{self.path} holds other explanations; give each a folder of its own")
        # a network rounds otherwise in other batches, and the same bits would not come out
        return int(known["batch"])

    def keep_words(self, vocabulary: Vocabulary) -> None:
        """Write the words."""
        vocabulary.save(self._words)

    def keep(self, columns: Columns, number: int) -> None:
        """Write a chunk, whole or not at all."""
        self._chunk(number).parent.mkdir(exist_ok=True)
        buffer = io.BytesIO()
        numpy.savez_compressed(buffer, **{name: column.cpu().numpy() for name, column in columns.items()})  # pyright: ignore[reportArgumentType]
        files.write_bytes(self._chunk(number), buffer.getvalue())

    @property
    def _settings(self) -> Path:
        return self.path / "explanations.json"

    @property
    def _words(self) -> Path:
        return self.path / "vocabulary.npz"

    def _chunk(self, number: int) -> Path:
        return self.path / "chunks" / f"{number:05}.npz"


def _read(path: Path) -> Columns:
    try:
        with numpy.load(path, allow_pickle=False) as archive:
            return {name: torch.from_numpy(archive[name]) for name in archive.files}
    except (OSError, ValueError, BadZipFile) as error:
        raise MeasurementError(
            f"{path} is damaged: {error}; remove it, and go on with the command that made it"
        ) from error
