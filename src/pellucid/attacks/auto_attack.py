"""AutoAttack (Croce and Hein 2020): attacks that fail for different reasons, each at what still stands."""

from dataclasses import dataclass, field
from typing import Literal

from pellucid.attacks.apgd import APGD, TargetedAPGD
from pellucid.attacks.attack import Attack, check_budget
from pellucid.attacks.climb import check_norm
from pellucid.attacks.fab import FAB
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.repeat import Repeat
from pellucid.attacks.square import Square
from pellucid.attacks.victim import Images, Victim
from pellucid.attacks.worst_of import WorstOf
from pellucid.errors import ConfigError
from pellucid.norms import L2, Linf
from pellucid.protocols import Norm


@dataclass(frozen=True)
class AutoAttack(Attack):
    """The ensemble that robustness figures are compared by.

    - `standard`: APGD on cross-entropy, targeted APGD, targeted FAB, Square.
    - `plus`: five restarts of APGD on cross-entropy and on DLR, FAB, Square, targeted APGD.
    - `rand`, for networks that answer at random: APGD on cross-entropy and on DLR, gradients averaged over 20 passes.

    FAB here has nothing random, so it is not restarted.
    """

    eps: float = 8 / 255
    version: Literal["standard", "plus", "rand"] = "standard"
    norm: Norm = field(default_factory=Linf)
    goal: Goal = field(default_factory=Misclassified, init=False)

    def __post_init__(self) -> None:
        check_budget(self.eps, self.norm, "AutoAttack")
        check_norm(self.norm, "AutoAttack")
        if not isinstance(self.norm, Linf | L2):
            raise ConfigError(f"AutoAttack works in linf or l2, not in {self.norm}")

    @property
    def budget(self) -> float:
        """The ball that all parts stay in."""
        return self.eps

    @property
    def parts(self) -> tuple[Attack, ...]:
        """What is tried, in this order; `Perturbed.part` counts along it."""
        eps, norm = self.eps, self.norm
        entropy, ratio = APGD(eps, norm=norm), APGD(eps, loss="dlr", norm=norm)
        towards, near, blind = TargetedAPGD(eps, norm=norm), FAB(eps, norm=norm), Square(eps, norm=norm)
        match self.version:
            case "standard":
                return entropy, towards, near, blind
            case "plus":
                return Repeat(entropy, 5), Repeat(ratio, 5), near, blind, towards
            case "rand":
                return APGD(eps, samples=20, norm=norm), APGD(eps, loss="dlr", samples=20, norm=norm)

    def search(self, victim: Victim) -> Images:
        """The first point that any part finds."""
        return WorstOf(self.parts).search(victim)
