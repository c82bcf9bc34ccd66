"""The area under what is left of the class's probability while pixels are flipped a few at a time."""

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
from pellucid.evaluate.explanations.removal import Curve, Ties, places, removed, varied
from pellucid.metrics.agreement.planar import Sign, planes
from pellucid.papers import BACH, cites


@cites(BACH)
@final
@dataclass(frozen=True)
class PixelFlipping(Curve):
    """The area under the probability of the class after every few flipped pixels (Bach et al. 2015).

    `curve` holds the probability after each step, the image itself not among them; the area is that of the straight
    lines between, as a part of the widest that it could be.
    """

    better: ClassVar = "lower"

    pixels: int = 16
    fill: Fill = 0.0
    sign: Sign = "signed"
    of_probability: bool = True
    ties: Ties = "random"

    def __post_init__(self) -> None:
        if self.pixels < 1:
            raise ConfigError(f"pixel-flipping has pixels={self.pixels}; flip 1 or more at a step")
        check_fill("pixel-flipping", self.fill)

    @property
    def cost(self) -> str:
        """What it takes for an image: one pass a step."""
        return f"at most a forward pass for every {self.pixels} pixels of the image"

    def scores(self, case: Case) -> Columns:
        """The area under the curve, and the curve."""
        values = planes(case.maps, self.sign)
        pixels = values[0].numel()
        counts = [min(first + self.pixels, pixels) for first in range(0, pixels, self.pixels)]
        place = places(values, case.noise, self.ties)
        curve = removed(case, place, counts, filled(case, self.fill), self.read)
        share = idle(case, self.fill)
        value = torch.where(varied(values) & (share < 1), area_under(curve.double()), math.nan)
        return {"value": value, "curve": curve, "idle": share}


def area_under(curve: Float[Tensor, "b steps"]) -> Float[Tensor, " b"]:
    """The area under straight lines between values that lie evenly on a line of length 1."""
    if curve.shape[1] == 1:
        return curve[:, 0]
    return torch.trapezoid(curve, dim=1) / (curve.shape[1] - 1)
