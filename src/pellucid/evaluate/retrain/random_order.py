"""The control: an order that knows nothing."""

from dataclasses import dataclass
from typing import Literal, final

import torch

from pellucid.data import Split
from pellucid.evaluate.retrain.ranking import Ranking, Study, Values
from pellucid.randomness import Noise, derive


@final
@dataclass(frozen=True)
class Random(Ranking):
    """Places in random order: another for each image, as Hooker et al. (2019) have it, or one for all of them.

    One for all is the fair control of rankings that are the same for all images. Each seed has orders of its own.
    """

    by: Literal["image", "all"] = "image"

    @property
    def varies(self) -> bool:
        """Chance is not to be the same in all repetitions."""
        return True

    def values(self, study: Study, split: Split, seed: int) -> Values:
        """Uniform numbers; those for all images are the same for training and for test images."""
        _, height, width = split.shape
        device = split.labels.device
        rows = torch.arange(len(split), device=device)
        index = rows if self.by == "image" else rows[:1]
        part = "all" if self.by == "all" else "train" if split is study.train else "test"
        table = Noise(derive(seed, part), index).uniform(split.shape[0], height, width)
        return Values(table, rows if self.by == "image" else torch.zeros_like(rows))
