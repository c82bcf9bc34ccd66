"""The attack of Carlini and Wagner (2017): distance and failure in one loss, minimized in a space without walls."""

from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.attacks.attack import Attack, check_steps
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.search import column, iterate
from pellucid.attacks.shortest import Shortest, looked, started
from pellucid.attacks.victim import Images, Victim
from pellucid.errors import ConfigError
from pellucid.norms import L2, RMS
from pellucid.papers import cites
from pellucid.protocols import Norm


@cites(
    "Carlini and Wagner, Towards Evaluating the Robustness of Neural Networks, IEEE Symposium on Security and "
    "Privacy 2017. arXiv 1608.04644"
)
@dataclass(frozen=True)
class CarliniWagner(Attack):
    """Adam on the squared L2 distance and the goal's margin, in steps of about `rate` / 2, whatever the network.

    What the margin lacks counts `weight` times, and pixels are tanh of what is moved. Each image's weight is sought
    in `searches` rounds of `steps` steps: ten times larger until the goal is reached, then by bisection. The authors
    take 10 000 steps, and end a round where the loss of the whole batch falls no more, which we leave out: what is
    found for an image must not depend on the others. The other defaults are theirs.
    """

    steps: int = 1000
    searches: int = 9
    rate: float = 0.01
    weight: float = 0.001
    norm: Norm = field(default_factory=L2)
    goal: Goal = field(default_factory=Misclassified)

    def __post_init__(self) -> None:
        check_steps(self.steps, "CarliniWagner")
        if self.searches < 1:
            raise ConfigError(f"CarliniWagner has searches={self.searches}; the weight is sought in 1 round or more")
        for name, setting, most in (("rate", self.rate, 1), ("weight", self.weight, 1e10)):
            if not 0 < setting <= most:
                raise ConfigError(f"CarliniWagner has {name}={setting:g}; it is a number above 0, {most:g} at most")
        if not isinstance(self.norm, L2 | RMS):
            raise ConfigError(f"CarliniWagner has norm={self.norm}; its loss holds distances in L2 and RMS")

    @property
    def absolute(self) -> str:
        """The published rate is a length."""
        return (
            f"its pixels move by about {self.rate / 2:g} a step, whatever the network: set rate well below distances"
        )

    def search(self, victim: Victim) -> Images:
        """The nearest point; the last one where the goal was never reached."""
        zero, none = torch.zeros_like(victim.x), victim.x.new_zeros(len(victim))
        state = _State(
            point=_bare(victim.x), first=zero, second=zero, fell=none > 0,
            weight=none + self.weight, low=none, high=none + torch.inf, **vars(started(victim.x)),
        )  # fmt: skip
        return victim.x + iterate(victim, state, self._step, self.searches * self.steps)

    def _step(self, victim: Victim, state: "_State", number: int) -> "_State":
        age = number % self.steps
        if number > 0 and age == 0:
            state = self._reweighted(victim, state)
        x = (state.point.tanh() + 1) / 2
        delta = x - victim.x
        logits, slope = victim.ascent(x, self.goal.margin)
        met = self.goal.margin(logits, victim.y) > 0
        state = looked(replace(state, delta=delta), met, self.norm)
        gradient = 2 * delta - column(torch.where(met, 0, state.weight), slope) * slope
        change, first, second = _adam(gradient * 2 * x * (1 - x), state, age + 1)
        point = state.point - self.rate * change
        return replace(state, point=point, first=first, second=second, fell=state.fell | met)

    def _reweighted(self, victim: Victim, state: "_State") -> "_State":
        """The beginning of the next round."""
        low = torch.where(state.fell, state.low, state.weight)
        high = torch.where(state.fell, state.weight, state.high)
        weight = torch.where(high.isinf(), 10 * state.weight, (low + high) / 2)
        zero, none = torch.zeros_like(state.delta), torch.zeros_like(state.fell)
        return replace(
            state, point=_bare(victim.x), first=zero, second=zero, fell=none, weight=weight, low=low, high=high
        )


@dataclass(frozen=True)
class _State(Shortest):
    point: Float[Tensor, "b *shape"]
    first: Float[Tensor, "b *shape"]
    second: Float[Tensor, "b *shape"]
    fell: Bool[Tensor, " b"]
    weight: Float[Tensor, " b"]
    low: Float[Tensor, " b"]
    high: Float[Tensor, " b"]


def _bare(x: Images) -> Images:
    """Where tanh comes to the pixels, drawn a little away from walls that lie at infinity."""
    return ((2 * x - 1) * (1 - 1e-6)).atanh()


def _adam(gradient: Tensor, state: _State, age: int) -> tuple[Tensor, Tensor, Tensor]:
    """Adam's direction and moments (Kingma and Ba 2015)."""
    first = 0.9 * state.first + 0.1 * gradient
    second = 0.999 * state.second + 0.001 * gradient.square()
    mean, spread = first / (1 - 0.9**age), second / (1 - 0.999**age)
    return mean / (spread.sqrt() + 1e-8), first, second
