"""How fast a map changes as its image does."""

import math
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.metric import Columns, Metric
from pellucid.evaluate.explanations.nearby import at_neighbors, check_draws
from pellucid.metrics.agreement.planar import Scale, Sign, planes, scaled
from pellucid.norms import L2
from pellucid.papers import cites


@cites("Alvarez-Melis and Jaakkola, On the Robustness of Interpretability Methods, 2018. arXiv 1806.08049")
@final
@dataclass(frozen=True)
class LocalLipschitz(Metric):
    """The largest change of the map per change of the image, over `draws` noisy copies (Alvarez-Melis et al. 2018).

    Both changes are Euclid's lengths. Noise is uniform in [-eps, eps] for each pixel, and copies are clipped to
    [0, 1]. `scale` says what maps are divided by first; with "none" it is the paper's own number, which grows with
    the size of the network's logits.
    """

    eps: float = 4 / 255
    draws: int = 10
    sign: Sign = "absolute"
    scale: Scale = "largest"
    better: ClassVar = "lower"
    needs: ClassVar = "explainer"

    def __post_init__(self) -> None:
        check_draws("local-lipschitz", self.eps, self.draws)

    @property
    def low(self) -> float:
        """The least that a value can be: noise changes nothing."""
        return 0.0

    @property
    def undefined(self) -> str:
        """Which takes a very small image at an end of the pixels' range."""
        return "no draw changed the image"

    @property
    def ignores_scale(self) -> bool:
        """Whether the length of maps makes no difference: not with maps as they are, as in the paper."""
        return self.scale != "none"

    @property
    def cost(self) -> str:
        """What it takes for an image: one map for each draw."""
        return f"{self.draws} explanations"

    def scores(self, case: Case) -> Columns:
        """The worst of the draws that changed the image, and their mean."""
        found = at_neighbors(case, self.eps, self.draws, self._compare)
        changed = ~found.isnan()
        largest = found.where(changed, -math.inf).amax(1)
        return {"value": largest.where(changed.any(1), math.nan), "mean": found.nanmean(1)}

    def _compare(self, case: Case, number: int, x: Tensor, maps: Tensor) -> Float[Tensor, " b"]:
        own, other = (scaled(planes(each, self.sign).double(), self.scale) for each in (case.maps, maps))
        way = L2().size(x.double() - case.x.double())
        return torch.where(way > 0, L2().size(other - own) / way, math.nan)
