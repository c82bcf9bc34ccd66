"""How soon the network doubts when the pixels that matter most are taken away first."""

import math
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.fills import Fill, check_fill, filled, idle
from pellucid.evaluate.explanations.metric import Columns
from pellucid.evaluate.explanations.removal import Curve, places, removed, varied
from pellucid.metrics.agreement.planar import Sign, planes
from pellucid.papers import PETSIUK, cites


@cites(PETSIUK)
@final
@dataclass(frozen=True)
class Deletion(Curve):
    """The mean probability of the class while pixels are taken away, the most important first (Petsiuk et al. 2018).

    The first image is whole, of the last nothing is left; `curve` holds the answer at each.
    """

    better: ClassVar = "lower"

    steps: int = 20
    fill: Fill = "zero"
    sign: Sign = "signed"
    of_probability: bool = True

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ConfigError(f"deletion has steps={self.steps}; give 1 or more")
        check_fill("deletion", self.fill)

    @property
    def cost(self) -> str:
        """What it takes for an image: one pass a step, and one over the image."""
        return f"at most {self.steps + 1} forward passes"

    def scores(self, case: Case) -> Columns:
        """The mean of the curve, and the curve."""
        values = planes(case.maps, self.sign)
        curve = self.curve(case, values)
        share = idle(case, self.fill)
        mean = torch.where(varied(values) & (share < 1), curve.double().mean(1), math.nan)
        return {"value": mean, "curve": curve, "idle": share}

    def curve(self, case: Case, values: Float[Tensor, "b h w"]) -> Float[Tensor, "b steps"]:
        """What the network says of the case's images when their pixels go in the order of any values."""
        counts = [step * values[0].numel() // self.steps for step in range(self.steps + 1)]
        place = places(values, case.noise)
        return removed(case, place, counts, filled(case, self.fill), self.read)
