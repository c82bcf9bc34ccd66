"""The explanations of many images, chunk by chunk, from which class importance is computed afterwards.

measurement.json   everything that they depend on, and how many images a chunk has
vocabulary.npz     where superpixels have words
chunks/00000.npz   a row of coefficients for each image
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pellucid.explainers.normlime import Importance, Rule, Tally, Vocabulary
from pellucid.ledger import Columns, checksums


@dataclass(frozen=True)
class ImportanceFolder:
    """The folder of one set of explanations."""

    path: Path

    @property
    def about(self) -> dict[str, Any]:
        """Everything that the explanations depend on."""
        with checksums.reading(self._settings):
            return checksums.read_json(self._settings)["about"]

    @property
    def count(self) -> int:
        """How many chunks there are once all images are explained."""
        with checksums.reading(self._settings):
            known = checksums.read_json(self._settings)
            return -(-known["about"]["images"] // known["batch"])

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The words for superpixels, where there are any yet."""
        if self._words.exists():
            with checksums.telling():
                return Vocabulary.load(self._words, checksums.MADE_AGAIN)
        return None

    def chunks(self) -> Iterator[Columns]:
        """The explanations, a chunk of images at a time."""
        return map(_read, map(self._chunk, range(self.count)))

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

    def vouches_for(self, vocabulary: Vocabulary) -> bool:
        """Whether these words were the ones here before, even if they are damaged or gone by now."""
        return checksums.vouched(self._words, vocabulary.packed())

    def keep_words(self, vocabulary: Vocabulary) -> None:
        """Write the words for superpixels that a vocabulary holds."""
        vocabulary.save(self._words)

    @property
    def _settings(self) -> Path:
        return self.path / "measurement.json"

    @property
    def _words(self) -> Path:
        return self.path / "vocabulary.npz"

    @property
    def _chunks(self) -> Path:
        return self.path / "chunks"

    def _chunk(self, number: int) -> Path:
        return self._chunks / f"{number:05}.npz"


def _read(path: Path) -> Columns:
    return {name: torch.from_numpy(column) for name, column in checksums.read_arrays(path).items()}
