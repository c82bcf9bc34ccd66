"""A walk to a given distance: the adversarial explanations, and the adversarial training, of Woods et al. (2019)."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.attacks.attack import Attack, check_budget, check_steps
from pellucid.attacks.goals import Confirmed, Goal
from pellucid.attacks.search import iterate
from pellucid.attacks.victim import Images, Victim
from pellucid.attacks.walk import Walk
from pellucid.errors import ConfigError
from pellucid.norms import RMS
from pellucid.papers import WOODS, cites
from pellucid.protocols import Norm


@cites(WOODS)
@dataclass(frozen=True)
class Shell(Attack):
    """Climb until the perturbation is `eps` long, then alternate between pushing and shrinking by shorter steps.

    With the goal `Confirmed` the result explains a class: what the image would need for the network to be sure. It
    ends near the shell, not exactly on it. The published settings are these with `clip=False` and `floor=1e-8`.
    """

    eps: float = 0.1
    steps: int = 35
    overshoot: float = 5.0
    goal: Goal = field(default_factory=Confirmed)
    norm: Norm = field(default_factory=RMS)
    clip: bool = True
    floor: float = 0.0

    def __post_init__(self) -> None:
        check_budget(self.eps, self.norm, "Shell")
        check_steps(self.steps, "Shell")
        if not 1 <= self.overshoot <= 100:
            raise ConfigError(
                f"Shell has overshoot={self.overshoot:g}; a trajectory shorter than eps cannot reach the shell, "
                "and one longer than 100 eps leads nowhere else"
            )
        if not 0 <= self.floor <= 0.01:
            raise ConfigError(f"Shell has floor={self.floor:g}; it is a small number, such as 1e-8, or 0 for none")

    @property
    def nearest(self) -> bool:
        """Whether the attack looks for the nearest point: it looks for the surest one at a distance."""
        return False

    @property
    def clips(self) -> bool:
        """Whether pixels stay in [0, 1]."""
        return self.clip

    @property
    def settles(self) -> bool:
        """A class that is confirmed already is confirmed further."""
        return False

    def search(self, victim: Victim) -> Images:
        """Walk along the shell and return where the walk ends."""
        start = torch.zeros_like(victim.x)
        none = torch.zeros(len(victim), dtype=torch.bool, device=start.device)
        return victim.x + iterate(victim, _State(start, none), self._step, self.steps)

    def _step(self, victim: Victim, state: "_State", number: int) -> "_State":
        _, gradient = victim.ascent(victim.x + state.best, self.goal.progress)
        walk = Walk(self.steps, self.eps * self.overshoot, 0.0, self.norm, self.clip, self.floor)
        met = self.norm.size(state.best) >= self.eps
        delta, _ = walk.step(victim.x, state.best, state.best, gradient, met, number)
        return _State(delta, state.done)


@dataclass(frozen=True)
class _State:
    best: Float[Tensor, "b *shape"]
    done: Bool[Tensor, " b"]
