"""On how few pixels a map rests."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.metric import Columns, Metric
from pellucid.metrics.agreement.planar import planes
from pellucid.papers import cites


@cites(
    "Chalasani, Chen, Chowdhury, Jha and Wu, Concise explanations of neural networks using adversarial "
    "training, ICML 2020."
)
@final
@dataclass(frozen=True)
class Sparsity(Metric):
    """The Gini coefficient of a map's absolute values: 0 where all pixels count the same, near 1 where one does all.

    Neither end is good in itself: a map may be sparse and wrong (Chalasani et al. 2020).
    """

    better: ClassVar = "neither"

    @property
    def low(self) -> float:
        """The least that a value can be: all pixels count the same."""
        return 0.0

    @property
    def high(self) -> float:
        """One pixel of infinitely many."""
        return 1.0

    @property
    def undefined(self) -> str:
        """Why an image may have no value: nothing to share out."""
        return "the map is zero"

    @property
    def ignores_sign(self) -> bool:
        """Absolute values are shared out."""
        return True

    @property
    def cost(self) -> str:
        """What it takes for an image: no pass, only a look at the map."""
        return "no pass"

    def scores(self, case: Case) -> Columns:
        """One value for each map."""
        return {"value": gini(planes(case.maps, "absolute").flatten(1))}


def gini(shares: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
    """How unequally each row's sum is shared out; NaN where it is 0."""
    ascending = shares.double().sort(1).values
    n = shares.shape[1]
    ranks = torch.arange(1, n + 1, device=shares.device, dtype=torch.float64)
    total = ascending.sum(1)
    return ((2 * ranks - n - 1) * ascending).sum(1) / (n * total)
