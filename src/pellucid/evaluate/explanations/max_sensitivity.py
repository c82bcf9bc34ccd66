"""How far a little noise can move a map."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.metric import Columns, Metric
from pellucid.evaluate.explanations.nearby import at_neighbors, check_draws
from pellucid.metrics.agreement.planar import Scale, Sign, planes, scaled
from pellucid.papers import YEH, cites


@cites(YEH)
@final
@dataclass(frozen=True)
class MaxSensitivity(Metric):
    """The largest change of the map over `draws` noisy copies of the image, in lengths of the map (Yeh et al. 2019).

    Noise is uniform in [-eps, eps] for each pixel, and copies are clipped to [0, 1]. `scale` says what maps are
    divided by first.
    """

    eps: float = 4 / 255
    draws: int = 10
    sign: Sign = "absolute"
    scale: Scale = "none"
    better: ClassVar = "lower"
    needs: ClassVar = "explainer"

    def __post_init__(self) -> None:
        check_draws("max-sensitivity", self.eps, self.draws)

    @property
    def low(self) -> float:
        """The least that a value can be: noise changes nothing."""
        return 0.0

    @property
    def undefined(self) -> str:
        """Why an image may have no value: no share of an empty map can change."""
        return "the map is zero"

    @property
    def cost(self) -> str:
        """What it takes for an image: one map for each draw."""
        return f"{self.draws} explanations"

    def scores(self, case: Case) -> Columns:
        """The worst of the draws, and their mean."""
        found = at_neighbors(case, self.eps, self.draws, self._compare)
        return {"value": found.amax(1), "mean": found.mean(1)}

    def _compare(self, case: Case, number: int, x: Tensor, maps: Tensor) -> Float[Tensor, " b"]:
        own, other = (scaled(planes(each, self.sign).double(), self.scale) for each in (case.maps, maps))
        # in parts of the largest value, which leave the ratio alone: so nothing is too small to be squared
        size = own.abs().amax((1, 2), keepdim=True)
        return torch.linalg.matrix_norm((other - own) / size) / torch.linalg.matrix_norm(own / size)
