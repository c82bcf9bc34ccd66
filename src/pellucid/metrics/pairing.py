"""Whether one thing does better than another, from pairs that have all else in common."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ShapeError
from pellucid.metrics.estimates import Estimate
from pellucid.metrics.student import over_repeats

_EXACT = 14  # pairs, up to which all signs are tried


@dataclass(frozen=True)
class Paired:
    """The mean difference of pairs, with Student's interval, and how often chance alone gives as large a one."""

    difference: Estimate
    p: float
    exact: bool

    def __str__(self) -> str:
        return f"{self.difference} p={self.p:.4f}"


def paired(first: Float[Tensor, " n"], second: Float[Tensor, " m"], *, seed: int = 0, draws: int = 9999) -> Paired:
    """`first` less `second`, pair by pair, with a two-sided test by turning signs.

    If neither were better, every difference could as well have the other sign. All choices of signs are tried, or
    `draws` random ones where there are more than 14 pairs. With n pairs no p is below 2 / 2^n: five cannot show
    anything at 5 %, six can.
    """
    if len(first) != len(second):
        raise ShapeError(f"{len(first)} and {len(second)} values are no pairs; give as many of each")
    difference = first.detach().cpu().double() - second.detach().cpu().double()
    estimate, n = over_repeats(difference), len(difference)
    exact = n <= _EXACT
    if exact:
        turned = (torch.arange(2**n)[:, None] >> torch.arange(n)) % 2
    else:
        turned = torch.randint(2, (draws, n), generator=torch.Generator().manual_seed(seed))
    means = ((1 - 2 * turned).double() @ difference).abs()
    # rounding must not make the signs that were found miss themselves
    reached = int((means >= difference.sum().abs() * (1 - 1e-9)).sum())
    # random signs leave out those that were found, which count as a draw too
    return Paired(estimate, reached / len(means) if exact else (reached + 1) / (draws + 1), exact)
