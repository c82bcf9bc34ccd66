"""The minimising loop of Woods et al. (2019): push while the goal is not reached, shrink where it is."""

from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attacks.attack import Attack, check_steps
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.search import iterate
from pellucid.attacks.shortest import Shortest, looked, started
from pellucid.attacks.victim import Images, Victim
from pellucid.attacks.walk import Walk
from pellucid.norms import RMS
from pellucid.protocols import Norm


@dataclass(frozen=True)
class Nearest(Attack):
    """The nearest point met on a walk whose steps shorten linearly and add up to `path`.

    The published settings are these with `clip=False`, which lets pixels leave [0, 1], and `floor=1e-8`. With the
    goals `Misclassified` and `BelowChance` its distances give the two Accuracy-Robustness Areas.
    """

    steps: int = 450
    path: float = 20.0
    momentum: float = 0.9
    goal: Goal = field(default_factory=Misclassified)
    norm: Norm = field(default_factory=RMS)
    clip: bool = True
    floor: float = 0.0

    def __post_init__(self) -> None:
        check_steps(self.steps, "Nearest")
        self._walk.check("Nearest")

    @property
    def clips(self) -> bool:
        """Whether pixels stay in [0, 1]."""
        return self.clip

    def search(self, victim: Victim) -> Images:
        """The nearest point; the last one where the goal was never reached."""
        state = _State(**vars(started(victim.x)), velocity=torch.zeros_like(victim.x))
        # one look more than steps, since the last point may be the nearest
        return victim.x + iterate(victim, state, self._step, self.steps + 1)

    @property
    def _walk(self) -> Walk:
        return Walk(self.steps, self.path, self.momentum, self.norm, self.clip, self.floor)

    def _step(self, victim: Victim, state: "_State", number: int) -> "_State":
        x = victim.x + state.delta
        if number == self.steps:
            return looked(state, self.goal.reached(victim.logits(x), victim.y), self.norm)
        logits, gradient = victim.ascent(x, self.goal.progress)
        met = self.goal.reached(logits, victim.y)
        delta, velocity = self._walk.step(victim.x, state.delta, state.velocity, gradient, met, number)
        return replace(looked(state, met, self.norm), delta=delta, velocity=velocity)


@dataclass(frozen=True)
class _State(Shortest):
    velocity: Float[Tensor, "b *shape"]
