"""A ranking that no network has a part in."""

from dataclasses import dataclass
from typing import final

import torch

from pellucid.data import Split, sequential
from pellucid.evaluate.retrain.ranking import Ranking, Study, Values, for_all

_AT_ONCE = 256


@final
@dataclass(frozen=True)
class Variance(Ranking):
    """How much each pixel varies over the training images: what an explainer should beat."""

    def values(self, study: Study, split: Split, seed: int) -> Values:
        """One map for all images."""
        train = study.train
        sums = torch.zeros(2, *train.shape, dtype=torch.float64, device=train.labels.device)
        for batch in train.batches(sequential(train, _AT_ONCE)):
            x = batch.x.double()
            sums += torch.stack([x.sum(0), x.square().sum(0)])
        mean, square = sums / len(train)
        return for_all((square - mean.square()).clamp_min(0), split)
