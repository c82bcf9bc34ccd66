"""One attack at several budgets, of which every image is tried at few."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Int
from torch import Tensor

from pellucid.attacks.attack import Attack, within
from pellucid.attacks.goals import Goal
from pellucid.attacks.search import where
from pellucid.attacks.victim import Images, Victim
from pellucid.errors import ConfigError, NoGradients
from pellucid.papers import cites
from pellucid.protocols import Norm


@cites()
@dataclass(frozen=True)
class Ladder(Attack):
    """The smallest of several budgets at which an attack reaches the goal, found for each image.

    The balls are nested: an image that falls at one budget falls at every larger one, and one that stands is taken to
    stand at every smaller one. So most images need two attempts: one that succeeds and one, a rung below, that fails.
    A linear guess of the distance says where to begin. What stands in a large ball does so for the network; for a
    search that fails there and would succeed in a smaller one, it does not, and the curve shows the larger accuracy.
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
        """The largest budget of the parts."""
        return max(part.budget for part in self.parts)

    @property
    def levels(self) -> tuple[float, ...]:
        """The budgets of the parts, ascending."""
        return tuple(sorted(part.budget for part in self.parts))

    def search(self, victim: Victim) -> Images:
        """The point that the smallest successful budget found; that of the largest where none succeeded."""
        parts = sorted(self.parts, key=lambda part: part.budget)
        best = victim.x.clone()
        rung = self._guess(victim)
        stood, fell = torch.full_like(rung, -1), torch.full_like(rung, len(parts))
        while (fell - stood > 1).any():
            for number, part in enumerate(parts):
                rows = ((rung == number) & (stood < number) & (number < fell)).nonzero().squeeze(1)
                if not len(rows):
                    continue
                some = victim.take(rows).stream("rung", number)
                x = part.search(some).clamp(0, 1)
                hit = self.goal.reached(some.decision(x), some.y) & within(self.norm.size(x - some.x), part.budget)
                # an attempt that failed is worth keeping only until one succeeds
                best[rows] = where(hit | (fell[rows] == len(parts)), x, best[rows])
                fell[rows], stood[rows] = torch.where(hit, number, fell[rows]), torch.where(hit, stood[rows], number)
                rung[rows] = torch.where(hit, number - 1, number + 1)
        return best

    def _guess(self, victim: Victim) -> Int[Tensor, " b"]:
        """The smallest budget that would suffice if the network were linear; without slopes the largest of all."""
        try:
            logits, slope = victim.ascent(victim.x, self.goal.margin)
        except NoGradients:  # the parts may need none
            return torch.full_like(victim.rows, len(self.parts) - 1)
        rise = (slope * self.norm.steepest(slope)).flatten(1).sum(1)
        distance = -self.goal.margin(logits, victim.y) / rise.clamp_min(torch.finfo(rise.dtype).tiny)
        return torch.bucketize(distance, distance.new_tensor(self.levels)).clamp_max(len(self.parts) - 1)
