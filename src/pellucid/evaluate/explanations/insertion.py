"""How soon the network is sure when the pixels that matter most are shown first."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.fills import Fill, check_fill, filled, idle
from pellucid.evaluate.explanations.metric import Columns
from pellucid.evaluate.explanations.removal import Curve, places, revealed, varied
from pellucid.metrics.agreement.planar import Sign, planes
from pellucid.papers import PETSIUK, cites


@cites(PETSIUK)
@final
@dataclass(frozen=True)
class Insertion(Curve):
    """The mean probability of the class while pixels are shown, the most important first (Petsiuk et al. 2018).

    The first image shows nothing, the last everything; `curve` holds the answer at each. `compat="official"` is the
    curve of Local Gradient Alignment: without the last image, and only pixels above the value at each step are shown,
    so that equal ones come together.
    """

    better: ClassVar = "higher"

    steps: int = 20
    fill: Fill = "zero"
    sign: Sign = "signed"
    of_probability: bool = True
    compat: Literal["none", "official"] = "none"

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ConfigError(f"insertion has steps={self.steps}; give 1 or more")
        check_fill("insertion", self.fill)

    @property
    def cost(self) -> str:
        """One pass a step, and one over what shows nothing."""
        return f"at most {self.steps + (self.compat == 'none')} forward passes"

    def scores(self, case: Case) -> Columns:
        """The mean of the curve, and the curve."""
        values = planes(case.maps, self.sign)
        curve = self.curve(case, values)
        mean = curve.double().mean(1)
        # where equal pixels come together a constant map says when they do: never
        share = idle(case, self.fill)
        ordered = (varied(values) & (share < 1)) | (self.compat == "official")
        return {"value": torch.where(ordered, mean, math.nan), "curve": curve, "idle": share}

    def curve(self, case: Case, values: Float[Tensor, "b h w"]) -> Float[Tensor, "b steps"]:
        """What the network says of the case's images when their pixels are shown in the order of any values."""
        pixels, official = values[0].numel(), self.compat == "official"
        counts = [step * pixels // self.steps for step in range(self.steps + (not official))]
        place = places(values, case.noise, "together" if official else "random")
        return revealed(case, place, counts, filled(case, self.fill), self.read)
