"""DeepFool (Moosavi-Dezfooli et al. 2016): steps to where the boundary would be if the network were linear."""

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.attacks.attack import Attack, check_steps
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.search import column, iterate, where
from pellucid.attacks.victim import Images, Victim
from pellucid.errors import ConfigError
from pellucid.norms import L2, RMS, Linf
from pellucid.papers import cites
from pellucid.protocols import Norm


@cites(
    "Moosavi-Dezfooli, Fawzi and Frossard, DeepFool: a simple and accurate method to fool deep neural "
    "networks, CVPR 2016. arXiv 1511.04599"
)
@dataclass(frozen=True)
class DeepFool(Attack):
    """Steps to the nearest of the boundaries with the `classes` most likely wrong classes, until one is crossed.

    The sum of the steps is taken `overshoot` farther than it reaches. The first point beyond a boundary is what is
    found: near, but seldom the nearest. The defaults are the authors'.
    """

    steps: int = 50
    classes: int = 9
    overshoot: float = 0.02
    norm: Norm = field(default_factory=L2)
    goal: Goal = field(default_factory=Misclassified)

    def __post_init__(self) -> None:
        check_steps(self.steps, "DeepFool")
        if self.classes < 1:
            raise ConfigError(f"DeepFool has classes={self.classes}; it steps towards 1 other class or more")
        if not 0 <= self.overshoot <= 1:
            raise ConfigError(f"DeepFool has overshoot={self.overshoot:g}; it is a share of the way, from 0 to 1")
        if not isinstance(self.norm, L2 | RMS | Linf):
            raise ConfigError(f"DeepFool has norm={self.norm}; it steps in L2, RMS and Linf")
        if not isinstance(self.goal, Misclassified):
            raise ConfigError(
                f"DeepFool has goal={self.goal}; it steps to boundaries of the label's class, "
                "so give it Misclassified()"
            )

    def search(self, victim: Victim) -> Images:
        """The first point beyond a boundary, or else the last."""
        x = victim.x
        others = victim.logits(x).scatter(1, victim.y[:, None], -math.inf)
        targets = others.topk(min(self.classes, others.shape[1] - 1), dim=1).indices
        none = torch.zeros(len(x), dtype=torch.bool, device=x.device)
        return iterate(victim, _State(x, torch.zeros_like(x), none, targets), self._step, self.steps)

    def _step(self, victim: Victim, state: "_State", number: int) -> "_State":
        seen = boundaries(victim, state.best, state.targets, self.norm)
        length, nearest = seen.distance.min(0)
        length = length.where(length.isfinite(), 0)
        direction = seen.direction[nearest, torch.arange(len(victim), device=nearest.device)]
        total = state.total + column(length, direction) * direction
        done = state.done | self.goal.reached(seen.logits, victim.y)
        x = (victim.x + (1 + self.overshoot) * total).clamp(0, 1)
        return _State(where(done, state.best, x), total, done, state.targets)


@dataclass(frozen=True)
class _State:
    best: Float[Tensor, "b *shape"]
    total: Float[Tensor, "b *shape"]
    done: Bool[Tensor, " b"]
    targets: Int[Tensor, "b others"]


@dataclass(frozen=True, eq=False)
class Boundaries:
    """How far n boundaries with other classes are if the network is linear, and in which direction each lies.

    `behind` is how far each class's logit lies below the label's, and `slopes` along which change that shrinks.
    """

    logits: Float[Tensor, "b classes"]
    slopes: Float[Tensor, "n b *shape"]
    behind: Float[Tensor, "n b"]
    direction: Float[Tensor, "n b *shape"]
    distance: Float[Tensor, "n b"]


def boundaries(victim: Victim, x: Images, targets: Int[Tensor, "b n"], norm: Norm) -> Boundaries:
    """What one forward pass, and a backward pass for each of the target classes, tell of the boundaries."""

    def ahead(logits: Tensor) -> Tensor:
        towards = F.one_hot(targets.T, logits.shape[1])
        return (towards - F.one_hot(victim.y, logits.shape[1])).to(logits.dtype)

    logits, slopes = victim.pullback(x, ahead)
    behind = (logits.gather(1, victim.y[:, None]) - logits.gather(1, targets)).T
    direction = norm.steepest(slopes.flatten(0, 1)).view_as(slopes)
    rise = (direction * slopes).flatten(2).sum(2)
    return Boundaries(logits, slopes, behind, direction, torch.where(rise > 0, behind.abs() / rise, math.inf))
