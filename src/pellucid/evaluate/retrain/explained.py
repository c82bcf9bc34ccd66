"""The ranking that an explainer gives for each image."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import final

import torch

from pellucid.data import Split, sample, sequential
from pellucid.evaluate.retrain.ranking import Ranking, Study, Values
from pellucid.explainers import Explainer, Gradient
from pellucid.ledger import in_halves_on_oom
from pellucid.metrics.agreement.planar import Sign

_AT_ONCE = 128
_LEARNED_FROM = 500  # training images that an explainer learns from, if it learns


@final
@dataclass(frozen=True)
class ByExplainer(Ranking):
    """An explainer's map of each image, for the class that the network sees in it.

    `sign` says what counts: how large the map is, or how much it speaks for the class.
    """

    explainer: Explainer = field(default_factory=Gradient)
    sign: Sign = "absolute"

    def resolved(self, shape: Sequence[int]) -> "ByExplainer":
        """With the settings that the explainer has at images of this shape."""
        return replace(self, explainer=self.explainer.resolved(shape))

    def values(self, study: Study, split: Split, seed: int) -> Values:
        """A map for each image."""
        explainer = self.explainer
        if explainer.learns:
            some = sample(study.train, _LEARNED_FROM, seed=seed)
            (batch,) = some.batches(sequential(some, len(some)))
            explainer = explainer.fit(study.model, batch.x, seed=seed)
        parts = [
            part
            for batch in split.batches(sequential(split, _AT_ONCE))
            for part in in_halves_on_oom(
                lambda some: explainer.on(study.model, some, "predicted", seed=seed).map.detach(), batch
            )
        ]
        maps = torch.cat(parts)
        if self.sign != "signed":
            maps = maps.abs() if self.sign == "absolute" else maps.clamp_min(0)
        return Values(maps, torch.arange(len(split), device=split.labels.device))
