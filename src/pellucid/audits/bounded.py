"""The attack behind every figure at a budget."""

from pellucid.attacks import APGD, PGD, Attack, Square, WorstOf
from pellucid.protocols import Norm

QUERIES = 50
"""So many looks without a gradient stand for a step along one."""


def bounded(eps: float, norm: Norm, steps: int) -> Attack:
    """Up the cross-entropy, and what stands then up the margin: where one is flat, the other is hardly ever."""
    climb = APGD(eps=eps, steps=steps, loss="margin", norm=norm)
    return WorstOf((PGD(eps=eps, steps=steps, norm=norm), climb))


def blindly(eps: float, norm: Norm, steps: int) -> Attack:
    """The attack in its stead on a network whose gradients lead nowhere: by what it says alone."""
    return Square(eps=eps, norm=norm, queries=QUERIES * steps)
