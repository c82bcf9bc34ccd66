"""Decoupled direction and norm (Rony et al. 2019): gradient steps on a sphere whose radius follows the boundary."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.attacks.annealing import annealed
from pellucid.attacks.attack import Attack, check_steps
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.search import column, iterate, where
from pellucid.attacks.shortest import shortest
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
        start = torch.zeros_like(victim.x)
        never = victim.x.new_full((len(victim),), torch.inf)
        state = _State(start, torch.full_like(never, self.radius), start, never, never.isnan())
        # one look more than steps, since the last point may be the nearest
        return victim.x + iterate(victim, state, self._step, self.steps + 1)

    def _step(self, victim: Victim, state: "_State", number: int) -> "_State":
        x = victim.x + state.delta
        if number == self.steps:
            return self._looked(victim, state, victim.logits(x))[0]
        logits, gradient = victim.ascent(x, self.goal.progress)
        state, met = self._looked(victim, state, logits)
        farthest = L2().size(torch.maximum(victim.x, 1 - victim.x))
        radius = torch.minimum(state.radius * torch.where(met, 1 - self.gamma, 1 + self.gamma), farthest)
        length = annealed(self.step, self.step / 100, number / self.steps)
        direction = L2().steepest(state.delta + length * L2().steepest(gradient))
        delta = (victim.x + column(radius, x) * direction).clamp(0, 1) - victim.x
        return _State(delta, radius, state.nearest, state.length, state.done)

    def _looked(self, victim: Victim, state: "_State", logits: Tensor) -> tuple["_State", Tensor]:
        met = self.goal.reached(logits, victim.y)
        found = shortest((state.nearest, state.length), state.delta, met, self.norm)
        return _State(state.delta, state.radius, *found, state.done), met


@dataclass(frozen=True)
class _State:
    delta: Float[Tensor, "b *shape"]
    radius: Float[Tensor, " b"]
    nearest: Float[Tensor, "b *shape"]
    length: Float[Tensor, " b"]
    done: Bool[Tensor, " b"]

    @property
    def best(self) -> Float[Tensor, "b *shape"]:
        return where(self.length.isinf(), self.delta, self.nearest)
