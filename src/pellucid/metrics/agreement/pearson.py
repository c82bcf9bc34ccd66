"""Pearson's correlation."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.metrics.agreement.similarity import Planes, Similarity


@dataclass(frozen=True)
class Pearson(Similarity):
    """The correlation of the values at the same places; blind to what is added or multiplied everywhere.

    `compat="official"` is (n - 1) / n of it for maps of n values: the code of Joo et al. (2023) takes the mean of
    products, and deviations without bias.
    """

    compat: Literal["none", "official"] = "none"

    def compare(self, these: Planes, those: Planes) -> Float[Tensor, " b"]:
        """NaN where either map is constant."""
        found, values = correlation(these.flatten(1), those.flatten(1)), these[0].numel()
        return found * (values - 1) / values if self.compat == "official" else found


def correlation(these: Float[Tensor, "b n"], those: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
    """The cosine of what is left when each row's mean is taken away."""
    return angle(these - these.mean(1, keepdim=True), those - those.mean(1, keepdim=True), spread(these, those))


def angle(these: Float[Tensor, "b n"], those: Float[Tensor, "b n"], meaningful: Tensor) -> Float[Tensor, " b"]:
    """The cosine between rows where it is meaningful, else NaN."""
    # whole rows are scaled first, or the squares of tiny gradients would vanish
    these, those = normalized(these), normalized(those)
    return torch.where(meaningful, (these * those).sum(1).clamp(-1, 1), math.nan)


def normalized(rows: Float[Tensor, "b n"]) -> Float[Tensor, "b n"]:
    """Each row at length 1; a row of zeros stays one."""
    largest = rows.detach().abs().amax(1, keepdim=True)
    rows = rows / torch.where(largest > 0, largest, 1)
    length = rows.square().sum(1, keepdim=True)
    return rows / torch.where(length > 0, length, 1).sqrt()


def spread(these: Float[Tensor, "b n"], those: Float[Tensor, "b n"]) -> Tensor:
    """Whether both rows vary; asked of the rows themselves, since rounding leaves a constant one a little spread."""
    return (these.amax(1) > these.amin(1)) & (those.amax(1) > those.amin(1))
