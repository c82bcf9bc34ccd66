"""Adversarial images made on one network and tried on another."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from torch import nn

from pellucid import models
from pellucid.attacks.attack import Attack
from pellucid.attacks.engine import takes_channels_last
from pellucid.attacks.goals import Goal
from pellucid.attacks.victim import Images, Victim
from pellucid.kinds import in_single, ready
from pellucid.papers import cites
from pellucid.probe import frozen
from pellucid.protocols import Norm


@cites()
@dataclass(frozen=True)
class Transfer(Attack):
    """The points that `attack` finds on another network, `source`: what `models.load` takes.

    Only the last look is at the network under attack, so what it hides of its gradients does not help it.
    """

    attack: Attack
    source: str | Callable[..., nn.Module]
    norm: Norm = field(init=False, repr=False)
    goal: Goal = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "norm", self.attack.norm)
        object.__setattr__(self, "goal", self.attack.goal)

    @property
    def budget(self) -> float:
        """The budget of the attack on the other network."""
        return self.attack.budget

    @property
    def nearest(self) -> bool:
        """What is nearest to the other network's boundary says nothing of this one's."""
        return False

    @property
    def levels(self) -> tuple[float, ...]:
        """The budgets of the attack on the other network."""
        return self.attack.levels

    def search(self, victim: Victim) -> Images:
        """Attack the other network, and return the points that this finds."""
        source = ready(models.load(self.source).to(victim.x.device))
        with frozen(source):
            single, x = in_single(source, victim.x), victim.x
            return self.attack.search(
                replace(
                    victim,
                    model=source,
                    searched=victim.engine.prepared(single),
                    channels_last=takes_channels_last(source, x),
                    exact=victim.engine.exact and single is source,
                )
            )
