"""One attack at several budgets, from the largest down."""

from dataclasses import dataclass, field

import torch

from pellucid.attacks.attack import Attack, within
from pellucid.attacks.goals import Goal
from pellucid.attacks.victim import Images, Victim
from pellucid.errors import ConfigError
from pellucid.protocols import Norm


@dataclass(frozen=True)
class Ladder(Attack):
    """For each image the smallest budget at which an attack reaches the goal.

    The balls are nested: an image that stands at one budget is taken to stand at every smaller one, so only the
    fallen go on. That holds for the network; for a search that fails in a large ball and would succeed in a small
    one, it does not, and the curve shows the larger accuracy.
    """

    parts: tuple[Attack, ...]
    norm: Norm = field(init=False, repr=False)
    goal: Goal = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.parts:
            raise ConfigError("Ladder has no parts; give it one attack or more")
        first = self.parts[0]
        for part in self.parts:
            if (part.norm, part.goal) != (first.norm, first.goal) or not part.levels:
                raise ConfigError(f"Ladder cannot order {part} with {first}; give all one norm and goal, and budgets")
        if len({part.budget for part in self.parts}) < len(self.parts):
            raise ConfigError("Ladder has two parts of one budget; give each its own")
        object.__setattr__(self, "norm", first.norm)
        object.__setattr__(self, "goal", first.goal)

    @property
    def budget(self) -> float:
        """The largest."""
        return max(part.budget for part in self.parts)

    @property
    def levels(self) -> tuple[float, ...]:
        """Those of the parts, ascending."""
        return tuple(sorted(part.budget for part in self.parts))

    def search(self, victim: Victim) -> Images:
        """The point that the smallest successful budget found; that of the largest where none succeeded."""
        some, rows = victim, torch.arange(len(victim), device=victim.x.device)
        best = victim.x.clone()
        for number, part in enumerate(sorted(self.parts, key=lambda part: -part.budget)):
            x = part.search(some.stream("level", number)).clamp(0, 1)
            if number == 0:
                best = x.clone()
            hit = self.goal.reached(some.decision(x), some.y) & within(self.norm.size(x - some.x), part.budget)
            fallen = hit.nonzero().squeeze(1)
            best[rows[fallen]] = x[fallen]
            rows, some = rows[fallen], some.take(fallen)
            if not len(rows):
                break
        return best
