"""How many of a map's first pixels lie on the object."""

import math
from dataclasses import dataclass
from typing import final

import torch

from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.in_mask import InMask, covered_share, inside
from pellucid.evaluate.explanations.metric import Columns
from pellucid.metrics.agreement.planar import Sign, planes
from pellucid.papers import ARRAS, cites


@cites(ARRAS)
@final
@dataclass(frozen=True)
class RankInMask(InMask):
    """The share of the K largest places that lie in the column `mask`, which has K pixels (Arras et al. 2022).

    Places with equal values count as if their order were drawn at random.
    """

    sign: Sign = "signed"

    def scores(self, case: Case) -> Columns:
        """The share, and that which a map in random order would have."""
        mask, values = inside(case), planes(case.maps, self.sign).flatten(1)
        within = mask.flatten(1)
        size = within.sum(1, keepdim=True)
        last = values.sort(1, descending=True).values.gather(1, (size - 1).clamp_min(0))
        above, level = values > last, values == last
        # what is level with the last place shares the places that are left
        left = (size - above.sum(1, keepdim=True)).double() / level.sum(1, keepdim=True)
        found = (above & within).sum(1) + (left[:, 0] * (level & within).sum(1))
        meaningful = within.any(1) & (values.amax(1) > values.amin(1))
        return {"value": torch.where(meaningful, found / size[:, 0], math.nan), "area": covered_share(mask)}
