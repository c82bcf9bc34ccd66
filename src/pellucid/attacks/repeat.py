"""An attack carried out several times with other random numbers."""

from dataclasses import dataclass, field

from pellucid.attacks.attack import Attack
from pellucid.attacks.goals import Goal
from pellucid.attacks.victim import Images, Victim
from pellucid.attacks.worst_of import WorstOf
from pellucid.errors import ConfigError
from pellucid.papers import cites
from pellucid.protocols import Norm


@cites()
@dataclass(frozen=True)
class Repeat(Attack):
    """Restarts: the best of `restarts` attempts, each at the images that the ones before left standing."""

    attack: Attack
    restarts: int = 5
    norm: Norm = field(init=False, repr=False)
    goal: Goal = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.restarts < 1:
            raise ConfigError(f"Repeat has restarts={self.restarts}; an attack starts 1 time or more")
        object.__setattr__(self, "norm", self.attack.norm)
        object.__setattr__(self, "goal", self.attack.goal)

    @property
    def budget(self) -> float:
        """The budget of the attack that is repeated."""
        return self.attack.budget

    @property
    def nearest(self) -> bool:
        """Whether the attack that is repeated looks for the nearest point."""
        return self.attack.nearest

    @property
    def levels(self) -> tuple[float, ...]:
        """The budgets of the attack that is repeated."""
        return self.attack.levels

    @property
    def absolute(self) -> str:
        """Which lengths of the repeated attack are the same for every network."""
        return self.attack.absolute

    def search(self, victim: Victim) -> Images:
        """Keep the best of several attempts for each image."""
        return WorstOf((self.attack,) * self.restarts).search(victim)
