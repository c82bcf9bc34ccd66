"""Rules that take an integral over [0, 1] for a weighted sum of values at a few places."""

from functools import lru_cache
from typing import Literal

import numpy as np

Rule = Literal["midpoint", "gauss-legendre", "trapezoid", "left", "right"]


@lru_cache(maxsize=16)
def places(rule: Rule, steps: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Where a rule looks, and the weight of each place; weights sum to 1."""
    numbers = np.arange(steps)
    weights = np.full(steps, 1 / steps)
    if rule == "gauss-legendre":
        roots, widths = np.polynomial.legendre.leggauss(steps)
        return tuple(((roots + 1) / 2).tolist()), tuple((widths / 2).tolist())
    if rule == "trapezoid":
        weights = np.full(steps, 1 / (steps - 1))
        weights[[0, -1]] /= 2
        return tuple((numbers / (steps - 1)).tolist()), tuple(weights.tolist())
    shift = {"midpoint": 0.5, "left": 0.0, "right": 1.0}[rule]
    return tuple(((numbers + shift) / steps).tolist()), tuple(weights.tolist())
