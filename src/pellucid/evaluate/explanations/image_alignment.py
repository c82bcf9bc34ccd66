"""Whether maps look like the image."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch

from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.metric import Columns, Metric
from pellucid.metrics.agreement.pearson import normalized
from pellucid.papers import cites


@cites(
    "Etmann, Lunz, Maass and Schönlieb, On the Connection Between Adversarial Robustness and Saliency Map "
    "Interpretability, ICML 2019. arXiv 1905.04172"
)
@final
@dataclass(frozen=True)
class ImageAlignment(Metric):
    """How nearly a map and its image point the same way, or the opposite (Etmann et al. 2019).

    Both are vectors of all channels and pixels. "angle" is the absolute cosine between them. "projection" is the
    paper's number: the length of the image's projection on the map, which grows with the brightness of the image.
    """

    by: Literal["angle", "projection"] = "angle"
    better: ClassVar = "higher"

    @property
    def low(self) -> float:
        """They have nothing in common."""
        return 0.0

    @property
    def high(self) -> float:
        """They are alike but for a factor; a projection is as long as the image at most, however long that is."""
        return 1.0 if self.by == "angle" else math.inf

    @property
    def undefined(self) -> str:
        """Why an image may have no value: there is no direction."""
        return "the map or the image is zero" if self.by == "angle" else "the map is zero"

    @property
    def ignores_sign(self) -> bool:
        """The opposite direction is as good."""
        return True

    @property
    def cost(self) -> str:
        """What it takes for an image: no pass, only a look at the map."""
        return "no pass"

    def scores(self, case: Case) -> Columns:
        """One value for each map."""
        maps, x = case.maps.flatten(1).double(), case.x.flatten(1).double()
        meaningful = (maps != 0).any(1)
        if self.by == "angle":
            meaningful, x = meaningful & (x != 0).any(1), normalized(x)
        return {"value": torch.where(meaningful, (normalized(maps) * x).sum(1).abs(), math.nan)}
