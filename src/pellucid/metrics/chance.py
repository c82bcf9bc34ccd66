"""How often chance alone does as well: exact tests of counts."""

import math

from jaxtyping import Bool
from torch import Tensor

from pellucid.errors import ShapeError


def at_least(successes: int, n: int, probability: float) -> float:
    """How often `n` independent tries have so many successes or more, where each succeeds with this probability."""
    if not (0 <= successes <= n and 0 <= probability <= 1):
        raise ShapeError(f"{successes} of {n} tries at a probability of {probability:g} are no draw")
    if successes == 0 or probability == 1:
        return 1.0
    if probability == 0:
        return 0.0
    yes, no, all_ = math.log(probability), math.log1p(-probability), math.lgamma(n + 1)
    terms = (
        math.exp(all_ - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * yes + (n - k) * no)
        for k in range(successes, n + 1)
    )
    return min(1.0, math.fsum(terms))


def no_better(first: Bool[Tensor, " n"], second: Bool[Tensor, " n"]) -> float:
    """How often `first` beats `second` by as much on the same images where neither is better: McNemar's exact test.

    Only images on which they differ count, and each could as well have gone the other way.
    """
    won, lost = int((first & ~second).sum()), int((second & ~first).sum())
    return at_least(won, won + lost, 0.5)
