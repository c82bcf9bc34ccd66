"""The fast minimum-norm attack (Pintor et al. 2021): gradient steps in a ball whose radius follows the boundary."""

from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attacks.attack import Attack, check_steps
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.search import column, iterate
from pellucid.attacks.shortest import (
    Shortest,
    annealed,
    boundary,
    check_step_lengths,
    evenly,
    inward,
    looked,
    started,
)
from pellucid.attacks.victim import Images, Score, Victim
from pellucid.errors import ConfigError
from pellucid.norms import L0, L1, L2, RMS, Linf
from pellucid.papers import PINTOR, cites
from pellucid.protocols import Norm


@cites(PINTOR)
@dataclass(frozen=True)
class FMN(Attack):
    """Steps along the gradient, each followed by a return into a ball around the image.

    The ball follows the boundary: it becomes as large as it would have to be if the network were linear, shrinking
    after a point that reaches the goal and growing after one that does not, by the share `gamma` at least. A ball of
    L0 changes by that share, or one entry. `step` is the first step as a multiple of the ball's radius, so that
    nothing hangs on how large logits or distances are. Along a cosine, steps fall to a hundredth and `gamma` to
    0.001.

    The steps are shared among `losses`, which lead to different parts of the boundary. Each starts at the image.
    `progress` is climbed for logits brought to one spread.

    With `published` it is the paper's: `step` is a length in L2, whatever the network; once the goal was reached, the
    ball changes by shares alone. Give it the paper's `losses=("margin",)` and `step=1`, as the preset does.
    """

    steps: int = 100
    step: float = 1.0
    gamma: float = 0.05
    losses: tuple[Literal["margin", "progress"], ...] = ("margin", "progress")
    published: bool = False
    norm: Norm = field(default_factory=L2)
    goal: Goal = field(default_factory=Misclassified)

    def __post_init__(self) -> None:
        check_steps(self.steps, "FMN")
        if not isinstance(self.norm, L0 | L1 | L2 | RMS | Linf):
            raise ConfigError(f"FMN has norm={self.norm}; it knows the balls of L0, L1, L2, RMS and Linf")
        check_step_lengths("FMN", self.published, step=self.step)
        if not 0.001 <= self.gamma < 1:
            raise ConfigError(f"FMN has gamma={self.gamma:g}; it is a share from 0.001 to 1")
        if not 1 <= len(self.losses) <= self.steps:
            raise ConfigError(
                f"FMN has {len(self.losses)} losses for {self.steps} steps; give it one or more, and a step for each"
            )

    @property
    def absolute(self) -> str:
        """The published step is a length."""
        return f"its first step is {self.step:g} long in L2, whatever the network" if self.published else ""

    def search(self, victim: Victim) -> Images:
        """The nearest point; the last one where the goal was never reached."""
        state = _State(**vars(started(victim.x)), radius=victim.x.new_zeros(len(victim)))
        # one look more than steps, since the last point may be the nearest
        return victim.x + iterate(victim, state, self._step, self.steps + 1)

    def _step(self, victim: Victim, state: "_State", number: int) -> "_State":
        if number == self.steps:
            logits = victim.logits(victim.x + state.delta)
            return looked(state, self.goal.margin(logits, victim.y) > 0, self.norm)
        turn, since = divmod(number * len(self.losses), self.steps)
        if turn > 0 and since < len(self.losses):
            state = state.afresh()
        x, elapsed = victim.x + state.delta, since / self.steps
        logits, gradient = victim.ascent(x, self._score(turn))
        margin = self.goal.margin(logits, victim.y)
        state = looked(state, margin > 0, self.norm)
        gradient = gradient if self.published else inward(gradient, x)
        radius = self._radius(state, gradient, margin, annealed(self.gamma, 0.001, elapsed))
        radius = torch.minimum(radius, self.norm.size(torch.maximum(victim.x, 1 - victim.x)))
        length = annealed(self.step, self.step / 100, elapsed) * self._unit(radius, gradient)
        delta = self.norm.project(state.delta + column(length, x) * L2().steepest(gradient), radius)
        delta = (victim.x + delta).clamp(0, 1) - victim.x
        return replace(state, delta=delta, radius=radius)

    def _score(self, turn: int) -> Score:
        if self.losses[turn] == "margin" or self.goal.single:
            return self.goal.margin
        return self.goal.progress if self.published else evenly(self.goal)

    def _unit(self, radius: Tensor, gradient: Tensor) -> Tensor:
        """What a step is measured by, in L2: how far the ball reaches along its steepest direction."""
        if self.published:
            return torch.ones_like(radius)
        if isinstance(self.norm, L0):
            return radius.sqrt()  # so many entries changed by the whole range of a pixel
        return radius * L2().size(self.norm.steepest(gradient))

    def _radius(self, state: "_State", gradient: Tensor, margin: Tensor, share: float) -> Tensor:
        if isinstance(self.norm, L0):
            smaller = torch.minimum((state.radius * (1 - share)).floor(), state.radius - 1).clamp_min(1)
            larger = torch.maximum((state.radius * (1 + share)).floor(), state.radius + 1)
        elif not self.published:
            return boundary(state, state.radius, gradient, margin, self.norm, share)
        else:
            smaller = state.radius * (1 - share)
            larger = boundary(state, state.radius, gradient, margin, self.norm, share)
            larger = torch.where(state.length.isinf(), larger, state.radius * (1 + share))
        return torch.where(margin > 0, torch.minimum(smaller, state.length), larger)


@dataclass(frozen=True)
class _State(Shortest):
    radius: Float[Tensor, " b"]

    def afresh(self) -> "_State":
        """Back at the image, in a ball half as large as the distance found."""
        radius = torch.where(self.length.isinf(), self.radius, self.length / 2)
        return replace(self, delta=torch.zeros_like(self.delta), radius=radius)
