"""Auto-PGD (Croce and Hein 2020): projected gradient ascent that halves its steps where they stop helping."""

from dataclasses import dataclass, field

import torch

from pellucid.attacks.attack import Attack, check_budget, check_steps
from pellucid.attacks.climb import Climb, check_norm
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.losses import LOSSES
from pellucid.attacks.sparse_climb import SparseClimb
from pellucid.attacks.victim import Images, Victim
from pellucid.errors import ConfigError, suggestion
from pellucid.norms import L1, Linf
from pellucid.protocols import Norm


@dataclass(frozen=True)
class APGD(Attack):
    """Ascent of one loss from a random point of the ball's surface; in L1, of few pixels at a time from a random one.

    `samples` passes are averaged at every step, for networks that answer at random. Settings as in AutoAttack;
    `Repeat` makes restarts of it.
    """

    eps: float = 8 / 255
    steps: int = 100
    loss: str = "cross-entropy"
    samples: int = 1
    norm: Norm = field(default_factory=Linf)
    goal: Goal = field(default_factory=Misclassified)

    def __post_init__(self) -> None:
        check_climb(self, "APGD", ("cross-entropy", "margin", "dlr"))

    @property
    def budget(self) -> float:
        """The ball that it stays in."""
        return self.eps

    def search(self, victim: Victim) -> Images:
        """The first point that reaches the goal, or else that with the highest loss."""
        return _climb(self)(victim, victim.y)


@dataclass(frozen=True)
class TargetedAPGD(Attack):
    """Ascent towards each of the `classes` most likely wrong classes in turn; what falls is not tried again."""

    eps: float = 8 / 255
    steps: int = 100
    classes: int = 9
    loss: str = "targeted-dlr"
    samples: int = 1
    norm: Norm = field(default_factory=Linf)
    goal: Goal = field(default_factory=Misclassified)

    def __post_init__(self) -> None:
        check_climb(self, "TargetedAPGD", ("targeted-cross-entropy", "targeted-dlr"))
        if self.classes < 1:
            raise ConfigError(f"TargetedAPGD has classes={self.classes}; it tries 1 wrong class or more")

    @property
    def budget(self) -> float:
        """The ball that it stays in."""
        return self.eps

    def search(self, victim: Victim) -> Images:
        """A point that reaches the goal, or else the best towards the last class."""
        logits = victim.logits(victim.x)
        likely = logits.scatter(1, victim.y[:, None], -torch.inf).argsort(1, descending=True)
        climb = _climb(self)
        best = victim.x.clone()
        rows = torch.arange(len(victim), device=best.device)
        for place in range(min(self.classes, logits.shape[1] - 1)):
            some = victim.take(rows).stream("rival", place)
            found = climb(some, likely[rows, place])
            best[rows] = found
            rows = rows[~self.goal.reached(some.decision(found), some.y)]
            if not len(rows):
                break
        return best


def _climb(attack: APGD | TargetedAPGD) -> Climb | SparseClimb:
    loss = LOSSES[attack.loss]
    if isinstance(attack.norm, L1):
        return SparseClimb(attack.eps, attack.steps, attack.samples, attack.goal, loss)
    return Climb(attack.eps, attack.steps, attack.samples, attack.norm, attack.goal, loss)


def check_climb(attack: APGD | TargetedAPGD, owner: str, losses: tuple[str, ...]) -> None:
    """Refuse what no climb can be made of: a loss without its rival leads nowhere, and every image would stand."""
    if attack.loss not in losses:
        raise ConfigError(f"{owner} has loss='{attack.loss}'{suggestion(attack.loss, losses)}")
    check_budget(attack.eps, attack.norm, owner)
    check_steps(attack.steps, owner)
    check_norm(attack.norm, owner)
    if attack.samples < 1:
        raise ConfigError(f"{owner} has samples={attack.samples}; a gradient is taken of 1 pass or more")
