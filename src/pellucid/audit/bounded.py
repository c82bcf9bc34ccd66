"""The attack behind every figure at a budget."""

from pellucid.attacks import APGD, PGD, Attack, WorstOf
from pellucid.protocols import Norm


def bounded(eps: float, norm: Norm, steps: int) -> Attack:
    """Up the cross-entropy, and what stands then up the margin: where one is flat, the other is hardly ever."""
    climb = APGD(eps=eps, steps=steps, loss="margin", norm=norm)
    return WorstOf((PGD(eps=eps, steps=steps, norm=norm), climb))
