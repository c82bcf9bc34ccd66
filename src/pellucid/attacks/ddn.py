"""Decoupled direction and norm (Rony et al. 2019): gradient steps on a sphere whose radius follows the boundary."""

from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attacks.annealing import annealed
from pellucid.attacks.attack import Attack, check_steps
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.search import column, iterate
from pellucid.attacks.shortest import Shortest, looked, started
from pellucid.attacks.victim import Images, Victim
from pellucid.errors import ConfigError
from pellucid.norms import L2, RMS
from pellucid.protocols import Norm


@dataclass(frozen=True)
class DDN(Attack):
    """Steps along the gradient, each followed by a return to a sphere around the image.

    The sphere shrinks by the share `gamma` after a point that reaches the goal and grows by it after one that does
    not. `radius` is the first one and `step` the first step, which falls to a hundredth along a cosine; both are
    lengths in L2, whichever norm measures what is found. The defaults are the paper's.
    """

    steps: int = 100
    radius: float = 1.0
    step: float = 1.0
    gamma: float = 0.05
    norm: Norm = field(default_factory=L2)
    goal: Goal = field(default_factory=Misclassified)

    def __post_init__(self) -> None:
        check_steps(self.steps, "DDN")
        if not isinstance(self.norm, L2 | RMS):
            raise ConfigError(f"DDN has norm={self.norm}; its spheres are those of L2 and RMS")
        for name, length in (("radius", self.radius), ("step", self.step)):
            if not length > 0:
                raise ConfigError(f"DDN has {name}={length:g}; it is a length above 0")
        if not 0 < self.gamma < 1:
            raise ConfigError(f"DDN has gamma={self.gamma:g}; it is a share between 0 and 1")

    def search(self, victim: Victim) -> Images:
        """The nearest point; the last one where the goal was never reached."""
        radius = victim.x.new_full((len(victim),), self.radius)
        state = _State(**vars(started(victim.x)), radius=radius)
        # one look more than steps, since the last point may be the nearest
        return victim.x + iterate(victim, state, self._step, self.steps + 1)

    def _step(self, victim: Victim, state: "_State", number: int) -> "_State":
        x = victim.x + state.delta
        if number == self.steps:
            return looked(state, self.goal.reached(victim.logits(x), victim.y), self.norm)
        logits, gradient = victim.ascent(x, self.goal.progress)
        met = self.goal.reached(logits, victim.y)
        farthest = L2().size(torch.maximum(victim.x, 1 - victim.x))
        radius = torch.minimum(state.radius * torch.where(met, 1 - self.gamma, 1 + self.gamma), farthest)
        length = annealed(self.step, self.step / 100, number / self.steps)
        direction = L2().steepest(state.delta + length * L2().steepest(gradient))
        delta = (victim.x + column(radius, x) * direction).clamp(0, 1) - victim.x
        return replace(looked(state, met, self.norm), delta=delta, radius=radius)


@dataclass(frozen=True)
class _State(Shortest):
    radius: Float[Tensor, " b"]
