"""Whether the answer falls most where the map says that most was taken away."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Bool
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.fills import Fill, check_fill, filled, idle
from pellucid.evaluate.explanations.metric import Columns, Metric
from pellucid.evaluate.explanations.removal import answers, copies_noise, logit, probability
from pellucid.metrics.agreement.pearson import correlation
from pellucid.metrics.agreement.planar import Sign, planes
from pellucid.papers import cites


@cites("Bhatt, Weller and Moura, Evaluating and aggregating feature-based model explanations, 2020.")
@final
@dataclass(frozen=True)
class FaithfulnessCorrelation(Metric):
    """Pearson's correlation of a map's sum over random pixels and the fall of the answer without them.

    Each of `samples` takes the same `share` of all pixels, and shows `fill` there (Bhatt et al. 2020). Columns
    `foretold` and `fell` hold both sides of every sample.
    """

    better: ClassVar = "higher"

    samples: int = 100
    share: float = 0.2
    fill: Fill = 0.0
    sign: Sign = "signed"
    of_probability: bool = False

    def __post_init__(self) -> None:
        if self.samples < 2:
            raise ConfigError(f"faithfulness-correlation has samples={self.samples}; give 2 or more")
        if not 0 < self.share < 1:
            raise ConfigError(
                f"faithfulness-correlation has share={self.share:g}; it is a part of all pixels, between 0 and 1"
            )
        check_fill("faithfulness-correlation", self.fill)

    @property
    def low(self) -> float:
        """The answer rises by what it should fall."""
        return -1.0

    @property
    def high(self) -> float:
        """The map foretells every fall, but for one factor."""
        return 1.0

    @property
    def undefined(self) -> str:
        """Why an image may have no value: nothing to correlate."""
        return "the map is constant, or the answer never changes, as where the image is as the fill throughout"

    @property
    def cost(self) -> str:
        """What it takes for an image: one pass a sample, and one over the image."""
        return f"{self.samples + 1} forward passes"

    def scores(self, case: Case) -> Columns:
        """The correlation of each image, and what was foretold and what was found in each sample."""
        read = probability if self.of_probability else logit
        values, hidden = planes(case.maps, self.sign), filled(case, self.fill)
        before = read(case.logits(case.x), case.of)[:, None]
        foretold = torch.empty(len(case), self.samples, dtype=values.dtype, device=values.device)

        def make(image: Tensor, number: Tensor) -> Tensor:
            gone = self.gone(case, image, number)
            foretold[image, number] = (values[image] * gone).flatten(1).sum(1)
            return torch.where(gone[:, None], hidden[image], case.x[image])

        fell = before - answers(case, self.samples, make, read)
        share = idle(case, self.fill)
        constant = (share == 1) | (values.flatten(1).amax(1) == values.flatten(1).amin(1))
        value = correlation(foretold.double(), fell.double()).masked_fill(constant, torch.nan)
        return {"value": value, "foretold": foretold, "fell": fell, "idle": share}

    def gone(self, case: Case, image: Tensor, number: Tensor) -> Bool[Tensor, "rows h w"]:
        """Which pixels a sample takes away."""
        high, wide = case.x.shape[2:]
        noise = copies_noise(case.noise.stream("faithfulness-correlation"), image, number)
        drawn = noise.uniform(high * wide, dtype=torch.float64)
        count = max(1, min(round(self.share * high * wide), high * wide - 1))
        chosen = drawn.topk(count, 1).indices
        return torch.zeros_like(drawn, dtype=torch.bool).scatter_(1, chosen, value=True).view(-1, high, wide)
