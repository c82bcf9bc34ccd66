"""How much of a map lies on the object."""

import math
from dataclasses import dataclass
from typing import Literal, final

import torch

from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.in_mask import InMask, covered_share, inside
from pellucid.evaluate.explanations.metric import Columns
from pellucid.metrics.agreement.planar import planes
from pellucid.papers import ARRAS, cites


@cites(ARRAS)
@final
@dataclass(frozen=True)
class MassInMask(InMask):
    """The share of a map's mass that lies in the column `mask` (Arras et al. 2022).

    The mass is what speaks for the class, or with `sign="absolute"` all that speaks at all.
    """

    sign: Literal["positive", "absolute"] = "positive"

    @property
    def undefined(self) -> str:
        """Why an image may have no value: nothing to share out, or nowhere for it to lie."""
        return "the mask is empty or the map has no mass"

    def scores(self, case: Case) -> Columns:
        """The share inside, that which area alone would give, and how many times as much it is."""
        mask = inside(case)
        mass, covered = planes(case.maps.double(), self.sign), covered_share(mask)
        total = mass.sum((1, 2))
        share = (mass * mask).sum((1, 2)) / total
        value = torch.where((total > 0) & (covered > 0), share, math.nan)
        return {"value": value, "area": covered, "ratio": value / covered}
