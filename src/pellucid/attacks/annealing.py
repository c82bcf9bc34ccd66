"""Settings that fall along half a cosine, as the steps of most searches for the nearest point do."""

import math


def annealed(first: float, last: float, elapsed: float) -> float:
    """The value after the share `elapsed` of the time: `first` at 0, `last` at 1."""
    return last + (first - last) * (1 + math.cos(math.pi * elapsed)) / 2
