"""The fast adaptive boundary attack without a target (Croce and Hein 2020)."""

import math
from dataclasses import dataclass, field

import torch

from pellucid.attacks.attack import Attack, check_budget, check_steps
from pellucid.attacks.deepfool import boundaries
from pellucid.attacks.fab import BoundaryWalk, check_stepping, looked_at, stepped
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.random_point import random_on_surface
from pellucid.attacks.search import iterate
from pellucid.attacks.victim import Images, Victim
from pellucid.errors import ConfigError
from pellucid.norms import Linf
from pellucid.papers import CROCE_FAB, cites
from pellucid.protocols import Norm


@cites(CROCE_FAB)
@dataclass(frozen=True)
class UntargetedFAB(Attack):
    """Steps as FAB's, each to the nearest of the boundaries with all other classes.

    A step takes a backward pass for every other class. The walk begins at a random point `start` times `eps` from the
    image, so that `Repeat` makes restarts of it; with `start=0` it begins at the image. The defaults are those of the
    authors' restarts.
    """

    eps: float = 8 / 255
    norm: Norm = field(default_factory=Linf)
    goal: Goal = field(default_factory=Misclassified)
    steps: int = 100
    start: float = 0.5
    overshoot: float = 1.05
    bias: float = 0.1
    backward: float = 0.9

    def __post_init__(self) -> None:
        if self.eps != math.inf:
            check_budget(self.eps, self.norm, "UntargetedFAB")
        check_steps(self.steps, "UntargetedFAB")
        check_stepping(self, "UntargetedFAB")
        if not 0 <= self.start <= 1:
            raise ConfigError(f"UntargetedFAB has start={self.start:g}; it is a share of eps in [0, 1]")
        if math.isinf(self.eps) and self.start:
            raise ConfigError(f"UntargetedFAB has start={self.start:g} of no budget at all; give start=0 or an eps")

    @property
    def budget(self) -> float:
        """The ball that is enough; none where the nearest point is looked for."""
        return self.eps

    def search(self, victim: Victim) -> Images:
        """The nearest point found, drawn back into the ball; the image itself where none was found."""
        x = victim.x
        logits = victim.logits(x)
        classes = torch.arange(logits.shape[1], device=x.device).expand_as(logits)
        others = classes[classes != victim.y[:, None]].view(len(x), -1)
        none = torch.zeros(len(x), dtype=torch.bool, device=x.device)
        begun = random_on_surface(victim, self.norm, self.start * self.eps) if self.start else x
        state = BoundaryWalk(begun, x, x.new_full((len(x),), torch.inf), none, others)
        nearest = iterate(victim, state, self._step, self.steps)
        return nearest if math.isinf(self.eps) else x + self.norm.project(nearest - x, self.eps)

    def _step(self, victim: Victim, state: BoundaryWalk, number: int) -> BoundaryWalk:
        seen = boundaries(victim, state.point, state.targets, self.norm)
        nearest, rows = seen.distance.argmin(0), torch.arange(len(victim), device=victim.x.device)
        point = stepped(self, victim.x, state.point, seen.slopes[nearest, rows], seen.behind[nearest, rows])
        return looked_at(self, victim, state, point)
