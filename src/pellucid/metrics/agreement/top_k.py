"""How many of the largest places two maps have in common."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.metrics.agreement.pearson import spread
from pellucid.metrics.agreement.similarity import Planes, Similarity


@dataclass(frozen=True)
class TopK(Similarity):
    """The share of places among the largest of both maps; two maps that know nothing of each other have `share`.

    Of equal values those that come first in the image are taken.
    """

    share: float = 0.1
    low: ClassVar[float] = 0.0
    differentiable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ConfigError(f"top-k has share={self.share:g}; it is a part of all places, above 0 and at most 1")

    def compare(self, these: Planes, those: Planes) -> Float[Tensor, " b"]:
        """NaN where either map is constant, and has no largest places."""
        first, second = these.detach().flatten(1), those.detach().flatten(1)
        count = max(1, round(self.share * first.shape[1]))
        both = _largest(first, count) & _largest(second, count)
        overlap = both.sum(1).to(first.dtype) / count
        return torch.where(spread(first, second), overlap, math.nan)


def _largest(rows: Tensor, count: int) -> Tensor:
    order = rows.sort(dim=1, descending=True, stable=True).indices[:, :count]
    return torch.zeros_like(rows, dtype=torch.bool).scatter_(1, order, value=True)
