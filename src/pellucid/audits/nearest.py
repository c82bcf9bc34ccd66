"""The attack behind areas and curves."""

from pellucid.attacks import DDN, FMN, Attack, Goal, WorstOf
from pellucid.norms import RMS


def nearest(goal: Goal, steps: int) -> Attack:
    """The nearer of two searches of different kinds: in a ball, and on a sphere with half as many steps."""
    return WorstOf((FMN(steps=steps, norm=RMS(), goal=goal), DDN(steps=max(1, steps // 2), norm=RMS(), goal=goal)))
