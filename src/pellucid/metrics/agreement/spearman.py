"""Spearman's rank correlation."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.metrics.agreement.pearson import correlation
from pellucid.metrics.agreement.similarity import Planes, Similarity


@dataclass(frozen=True)
class Spearman(Similarity):
    """The correlation of ranks: whether pixels come in the same order. Equal values share their mean rank.

    Ranks are steps, so nothing flows back through them.
    """

    differentiable: ClassVar[bool] = False

    def compare(self, these: Planes, those: Planes) -> Float[Tensor, " b"]:
        """NaN where either map is constant."""
        return correlation(ranks(these.flatten(1)), ranks(those.flatten(1)))


def ranks(rows: Float[Tensor, "b n"]) -> Float[Tensor, "b n"]:
    """The place of each value in its row, in ascending order and from 0; equal ones share the mean of theirs."""
    ascending, order = rows.detach().contiguous().sort(1)
    below = torch.searchsorted(ascending, ascending, right=False)
    up_to = torch.searchsorted(ascending, ascending, right=True)
    shared = (below + up_to - 1).to(torch.float64) / 2
    return torch.empty_like(shared).scatter_(1, order, shared)
