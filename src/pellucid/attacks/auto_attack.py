"""AutoAttack (Croce and Hein 2020): attacks that fail for different reasons, each at what still stands."""

from dataclasses import dataclass, field

from pellucid.attacks.apgd import APGD
from pellucid.attacks.attack import Attack, check_budget, check_steps
from pellucid.attacks.fab import FAB
from pellucid.attacks.fab_untargeted import UntargetedFAB
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.repeat import Repeat
from pellucid.attacks.square import Square
from pellucid.attacks.targeted_apgd import TargetedAPGD
from pellucid.attacks.victim import Images, Victim
from pellucid.attacks.worst_of import WorstOf
from pellucid.errors import ConfigError, suggestion
from pellucid.norms import L2, Linf
from pellucid.papers import CROCE, cites
from pellucid.protocols import Norm

_VERSIONS = ("standard", "plus", "rand")


@cites(CROCE)
@dataclass(frozen=True)
class AutoAttack(Attack):
    """The ensemble that robustness figures are compared by.

    - `standard`: APGD on cross-entropy, targeted APGD, targeted FAB, Square.
    - `plus`: five restarts of APGD on cross-entropy, on DLR, and of FAB without targets; Square; both with targets.
    - `rand`, for networks that answer at random: APGD on cross-entropy and on DLR, gradients averaged over 20 passes.

    With the `steps` and `queries` of the authors, figures compare with theirs.
    """

    eps: float = 8 / 255
    version: str = "standard"
    steps: int = 100
    queries: int = 5000
    norm: Norm = field(default_factory=Linf)
    goal: Goal = field(default_factory=Misclassified, init=False)

    def __post_init__(self) -> None:
        check_budget(self.eps, self.norm, "AutoAttack")
        check_steps(self.steps, "AutoAttack")
        if not isinstance(self.norm, Linf | L2):
            raise ConfigError(f"AutoAttack has norm={self.norm}; its parts have Linf and L2 in common")
        if self.queries < 1:
            raise ConfigError(f"AutoAttack has queries={self.queries}; Square asks 1 time or more")
        if self.version not in _VERSIONS:
            raise ConfigError(f"AutoAttack has version='{self.version}'{suggestion(self.version, _VERSIONS)}")

    @property
    def budget(self) -> float:
        """The ball that all parts stay in."""
        return self.eps

    @property
    def parts(self) -> tuple[Attack, ...]:
        """What is tried, in this order; `Perturbed.part` counts along it."""
        eps, norm, steps = self.eps, self.norm, self.steps
        samples = 20 if self.version == "rand" else 1
        entropy = APGD(eps, steps, samples=samples, norm=norm)
        ratio = APGD(eps, steps, loss="dlr", samples=samples, norm=norm)
        if self.version == "rand":
            return entropy, ratio
        towards, near = TargetedAPGD(eps, steps, norm=norm), FAB(eps, norm=norm, steps=steps)
        blind = Square(eps, norm=norm, queries=self.queries)
        if self.version == "plus":
            anywhere = UntargetedFAB(eps, norm, steps=steps, start=0)
            restarts = Repeat(UntargetedFAB(eps, norm, steps=steps), 4)
            return Repeat(entropy, 5), Repeat(ratio, 5), anywhere, restarts, blind, towards, near
        return entropy, towards, near, blind

    def search(self, victim: Victim) -> Images:
        """The first point that any part finds."""
        return WorstOf(self.parts).search(victim)
