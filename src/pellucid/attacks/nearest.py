"""The minimizing loop of Woods et al. (2019): push while the goal is not reached, shrink where it is."""

from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attacks.attack import Attack, check_steps
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.search import iterate
from pellucid.attacks.shortest import Shortest, looked, started
from pellucid.attacks.victim import Images, Victim
from pellucid.attacks.walk import Walk
from pellucid.errors import ConfigError, suggestion
from pellucid.norms import RMS
from pellucid.papers import WOODS, cites
from pellucid.protocols import Norm

KEPT = ("nearest", "nearest-or-clean", "last")


@cites(WOODS)
@dataclass(frozen=True)
class Nearest(Attack):
    """The nearest point met on a walk whose steps shorten and add up to `trajectory`, whatever the network.

    The published settings are these with `clip=False`, which lets pixels leave [0, 1], and `floor=1e-8`. With the
    goals `Misclassified` and `BelowChance` its distances give the two Accuracy-Robustness Areas.

    `keep` says what is returned: the `nearest` point that reaches the goal, and where none did the last one;
    `nearest-or-clean`, and where none did the image itself; or the `last` point of the walk in any case.
    """

    steps: int = 450
    trajectory: float = 20.0
    momentum: float = 0.9
    goal: Goal = field(default_factory=Misclassified)
    norm: Norm = field(default_factory=RMS)
    clip: bool = True
    floor: float = 0.0
    keep: str = "nearest"

    def __post_init__(self) -> None:
        if self.keep not in KEPT:
            raise ConfigError(f"Nearest has keep='{self.keep}'{suggestion(self.keep, KEPT)}")
        check_steps(self.steps, "Nearest")
        self._walk.check("Nearest")

    @property
    def nearest(self) -> bool:
        """Whether its distances tell of every budget; that of the last point tells of none."""
        return self.keep != "last"

    @property
    def clips(self) -> bool:
        """Whether pixels stay in [0, 1]."""
        return self.clip

    @property
    def absolute(self) -> str:
        """The published trajectory is a length."""
        norm = type(self.norm).__name__
        return (
            f"its steps add up to {self.trajectory:g} in {norm}, whatever the network: "
            "set trajectory to a few distances"
        )

    def search(self, victim: Victim) -> Images:
        """Walk to the boundary, and return the point to keep of each image."""
        state = _State(**vars(started(victim.x)), velocity=torch.zeros_like(victim.x))
        if self.keep == "nearest-or-clean":
            # the image itself, in place of a point so far away that any other is nearer
            state = replace(state, length=torch.full_like(state.length, torch.finfo(state.length.dtype).max))
        # one look more than steps where the last point may be the nearest
        return victim.x + iterate(victim, state, self._step, self.steps + (self.keep != "last"))

    @property
    def _walk(self) -> Walk:
        return Walk(self.steps, self.trajectory, self.momentum, self.norm, self.clip, self.floor)

    def _step(self, victim: Victim, state: "_State", number: int) -> "_State":
        x = victim.x + state.delta
        if number == self.steps:
            return looked(state, self.goal.reached(victim.logits(x), victim.y), self.norm)
        logits, gradient = victim.ascent(x, self.goal.progress)
        met = self.goal.reached(logits, victim.y)
        delta, velocity = self._walk.step(victim.x, state.delta, state.velocity, gradient, met, number)
        if self.keep != "last":
            state = looked(state, met, self.norm)
        return replace(state, delta=delta, velocity=velocity)


@dataclass(frozen=True)
class _State(Shortest):
    velocity: Float[Tensor, "b *shape"]
