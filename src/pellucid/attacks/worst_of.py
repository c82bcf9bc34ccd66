"""Several attacks, of which the best counts for each image: what restarts and ensembles are made of."""

from dataclasses import dataclass, field

import torch

from pellucid.attacks.attack import Attack, within
from pellucid.attacks.goals import Goal
from pellucid.attacks.search import where
from pellucid.attacks.victim import Images, Victim
from pellucid.errors import ConfigError
from pellucid.papers import cites
from pellucid.protocols import Norm


@cites()
@dataclass(frozen=True)
class WorstOf(Attack):
    """The attack among several that reaches the goal, chosen for each image; of more than one the nearest.

    Parts that look for the nearest point see all images, the others only those that still stand. All parts
    share norm and goal.
    """

    parts: tuple[Attack, ...]
    norm: Norm = field(init=False, repr=False)
    goal: Goal = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.parts:
            raise ConfigError("WorstOf has no parts; give it one attack or more")
        first = self.parts[0]
        for part in self.parts:
            if (part.norm, part.goal, part.budget) != (first.norm, first.goal, first.budget):
                raise ConfigError(f"WorstOf cannot compare {part} with {first}; give all one norm, goal and budget")
        object.__setattr__(self, "norm", first.norm)
        object.__setattr__(self, "goal", first.goal)

    @property
    def budget(self) -> float:
        """The budget that the parts share."""
        return self.parts[0].budget

    @property
    def nearest(self) -> bool:
        """Whether all parts look for the nearest point."""
        return all(part.nearest for part in self.parts)

    @property
    def levels(self) -> tuple[float, ...]:
        """The budgets that the parts share."""
        return self.parts[0].levels

    @property
    def absolute(self) -> str:
        """Which lengths of the parts are the same for every network, if every part has some."""
        found = [part.absolute for part in self.parts]
        return "; ".join(dict.fromkeys(found)) if all(found) else ""

    def search(self, victim: Victim) -> Images:
        """The best of what the parts find."""
        best = victim.x.clone()
        reached = torch.zeros(len(victim), dtype=torch.bool, device=best.device)
        distance = torch.full((len(victim),), torch.inf, dtype=best.dtype, device=best.device)
        for number, part in enumerate(self.parts):
            rows = (~reached | part.nearest).nonzero().squeeze(1)
            if not len(rows):
                break
            some = victim.take(rows).stream("part", number)
            x = part.search(some).clamp(0, 1)
            length = self.norm.size(x - some.x)
            hit = self.goal.reached(some.decision(x), some.y) & within(length, self.budget)
            better = hit & (length < distance[rows])
            # where nothing has reached the goal yet, the latest attempt is as good as any
            best[rows] = where(better | ~reached[rows], x, best[rows])
            distance[rows] = torch.where(better, length, distance[rows])
            reached[rows] |= hit
            victim.spent.part[some.rows[better]] = number
        return best
