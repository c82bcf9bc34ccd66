"""Auto-PGD towards one wrong class after the other (Croce and Hein 2020)."""

from dataclasses import dataclass, field

import torch

from pellucid.attacks.apgd import Climb
from pellucid.attacks.attack import Attack
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.victim import Images, Victim
from pellucid.errors import ConfigError
from pellucid.norms import Linf
from pellucid.papers import CROCE, cites
from pellucid.protocols import Norm


@cites(CROCE)
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
        self._climb.check("TargetedAPGD", ("targeted-cross-entropy", "targeted-dlr"))
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
        best = victim.x.clone()
        rows = torch.arange(len(victim), device=best.device)
        for place in range(min(self.classes, logits.shape[1] - 1)):
            some = victim.take(rows).stream("rival", place)
            found = self._climb(some, likely[rows, place])
            best[rows] = found
            rows = rows[~self.goal.reached(some.decision(found), some.y)]
            if not len(rows):
                break
        return best

    @property
    def _climb(self) -> Climb:
        return Climb(self.eps, self.steps, self.samples, self.norm, self.goal, self.loss)
