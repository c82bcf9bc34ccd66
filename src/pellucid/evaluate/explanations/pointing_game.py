"""Whether a map points at the object."""

import math
from dataclasses import dataclass
from typing import final

import torch

from pellucid.errors import ConfigError
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.in_mask import InMask, covered_share, inside, widened
from pellucid.evaluate.explanations.metric import Columns
from pellucid.metrics.agreement.planar import Sign, planes
from pellucid.papers import cites


@cites(
    "Zhang, Bargal, Lin, Brandt, Shen and Sclaroff, Top-down neural attention by excitation backprop, "
    "International Journal of Computer Vision 126, 2018. arXiv 1608.00507"
)
@final
@dataclass(frozen=True)
class PointingGame(InMask):
    """1 where the largest value of a map lies in the column `mask`, else 0 (Zhang et al. 2018).

    `tolerance` is how many pixels away from the mask still count. Where several places share the largest value, the
    share of them that count.
    """

    tolerance: int = 0
    sign: Sign = "signed"

    def __post_init__(self) -> None:
        if self.tolerance < 0:
            raise ConfigError(f"pointing-game has tolerance={self.tolerance}; give a number of pixels, 0 or more")

    def scores(self, case: Case) -> Columns:
        """Hits, how many places share the largest value, and what chance alone would hit."""
        mask, values = inside(case), planes(case.maps, self.sign).flatten(1)
        counting = widened(mask, self.tolerance)
        largest = values == values.amax(1, keepdim=True)
        hits = (largest & counting.flatten(1)).sum(1).double() / largest.sum(1)
        meaningful = mask.flatten(1).any(1) & (values.amax(1) > values.amin(1))
        return {
            "value": torch.where(meaningful, hits, math.nan),
            "largest": largest.sum(1),
            "area": covered_share(counting),
        }
