"""The area under what is left of the class's probability while pixels are flipped a few at a time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, final

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

_LEAST, _STEPS = 16, 64  # pixels at a step, and steps at the most


@cites(BACH)
@final
@dataclass(frozen=True)
class PixelFlipping(Curve):
    """The area under the probability of the class after every few flipped pixels (Bach et al. 2015).

    `curve` holds the probability after each step, the image itself not among them; the area is that of the straight
    lines between, as a part of the widest that it could be. At each step `pixels` are flipped: by "auto" 16, or
    as many as leave 64 steps.
    """

    better: ClassVar = "lower"

    pixels: int | Literal["auto"] = "auto"
    fill: Fill = 0.0
    sign: Sign = "signed"
    of_probability: bool = True
    ties: Ties = "random"

    def __post_init__(self) -> None:
        if self.pixels != "auto" and self.pixels < 1:
            raise ConfigError(f"pixel-flipping has pixels={self.pixels}; flip 1 or more at a step, or 'auto'")
        check_fill("pixel-flipping", self.fill)

    @property
    def cost(self) -> str:
        """What it takes for an image: one pass a step."""
        if self.pixels == "auto":
            return f"at most {_STEPS} forward passes"
        return f"at most a forward pass for every {self.pixels} pixels of the image"

    def resolved(self, shape: Sequence[int]) -> "PixelFlipping":
        """With the number of pixels that are flipped at a step in images of this shape."""
        pixels = math.prod(shape[1:] or shape)
        return replace(self, pixels=max(_LEAST, math.ceil(pixels / _STEPS))) if self.pixels == "auto" else self

    def scores(self, case: Case) -> Columns:
        """The area under the curve, and the curve."""
        values = planes(case.maps, self.sign)
        pixels, at_once = values[0].numel(), self.resolved(case.x.shape[1:]).pixels
        assert at_once != "auto"
        counts = [min(first + at_once, pixels) for first in range(0, pixels, at_once)]
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
