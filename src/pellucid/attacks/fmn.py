"""The fast minimum-norm attack (Pintor et al. 2021): gradient steps in a ball whose radius follows the boundary."""

from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attacks.annealing import annealed
from pellucid.attacks.attack import Attack, check_steps
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.search import iterate
from pellucid.attacks.shortest import Shortest, looked, started
from pellucid.attacks.victim import Images, Victim
from pellucid.errors import ConfigError
from pellucid.norms import L0, L1, L2, RMS, Linf
from pellucid.protocols import Norm


@dataclass(frozen=True)
class FMN(Attack):
    """Steps along the gradient, each followed by a return into a ball around the image.

    Until the goal is first reached, the ball grows to what it would have to be if the network were linear, and by the
    share `gamma` at least. From then on it shrinks by that share after a point that reaches the goal and grows by it
    after one that does not; a ball of L0 changes by one entry or more. `step` is the length of the first step in L2.
    Along a cosine, steps fall to a hundredth of it and `gamma` to a thousandth.

    The steps are shared among `losses`, which lead to different parts of the boundary. Each starts at the image, all
    but the first in a ball half as large as the distance found; a goal for which both are one and the same to climb
    (`BelowChance`) is given all steps at once. The paper has `losses=("margin",)` alone, which
    finds farther points in as many steps; the other defaults are those of its code.
    """

    steps: int = 100
    step: float = 2.0
    gamma: float = 0.05
    losses: tuple[Literal["margin", "progress"], ...] = ("margin", "progress")
    norm: Norm = field(default_factory=L2)
    goal: Goal = field(default_factory=Misclassified)

    def __post_init__(self) -> None:
        check_steps(self.steps, "FMN")
        if not isinstance(self.norm, L0 | L1 | L2 | RMS | Linf):
            raise ConfigError(f"FMN has norm={self.norm}; it knows the balls of L0, L1, L2, RMS and Linf")
        if not self.step > 0:
            raise ConfigError(f"FMN has step={self.step:g}; it is a length above 0")
        if not 0.001 <= self.gamma < 1:
            raise ConfigError(f"FMN has gamma={self.gamma:g}; it is a share from 0.001 to 1")
        if not 1 <= len(self.losses) <= self.steps:
            raise ConfigError(
                f"FMN has {len(self.losses)} losses for {self.steps} steps; give it one or more, and a step for each"
            )

    def search(self, victim: Victim) -> Images:
        """The nearest point; the last one where the goal was never reached."""
        state = _State(**vars(started(victim.x)), radius=victim.x.new_zeros(len(victim)))
        # one look more than steps, since the last point may be the nearest
        return victim.x + iterate(victim, state, self._step, self.steps + 1)

    def _step(self, victim: Victim, state: "_State", number: int) -> "_State":
        if number == self.steps:
            logits = victim.logits(victim.x + state.delta)
            return looked(state, self.goal.margin(logits, victim.y) > 0, self.norm)
        losses = self.losses[:1] if self.goal.single else self.losses
        turn, since = divmod(number * len(losses), self.steps)
        if turn > 0 and since < len(losses):
            state = state.afresh()
        score = self.goal.margin if losses[turn] == "margin" else self.goal.progress
        logits, gradient = victim.ascent(victim.x + state.delta, score)
        margin = self.goal.margin(logits, victim.y)
        state = looked(state, margin > 0, self.norm)
        radius = self._radius(state, gradient, margin, annealed(self.gamma, 0.001, since / self.steps))
        radius = torch.minimum(radius, self.norm.size(torch.maximum(victim.x, 1 - victim.x)))
        length = annealed(self.step, self.step / 100, since / self.steps)
        delta = self.norm.project(state.delta + length * L2().steepest(gradient), radius)
        delta = (victim.x + delta).clamp(0, 1) - victim.x
        return replace(state, delta=delta, radius=radius)

    def _radius(self, state: "_State", gradient: Tensor, margin: Tensor, share: float) -> Tensor:
        smaller, larger = state.radius * (1 - share), state.radius * (1 + share)
        if isinstance(self.norm, L0):
            smaller = torch.minimum(smaller.floor(), state.radius - 1).clamp_min(1)
            larger = torch.maximum(larger.floor(), state.radius + 1)
        else:
            slope = (gradient * self.norm.steepest(gradient)).flatten(1).sum(1)
            tiny = torch.finfo(slope.dtype).tiny
            boundary = self.norm.size(state.delta) + margin.abs() / slope.clamp_min(tiny)
            # the ball grows by its share at least, or it would stand still where the walls shorten perturbations
            larger = torch.where(state.length.isinf(), torch.maximum(boundary, larger), larger)
        return torch.where(margin > 0, torch.minimum(smaller, state.length), larger)


@dataclass(frozen=True)
class _State(Shortest):
    radius: Float[Tensor, " b"]

    def afresh(self) -> "_State":
        """Back at the image, in a ball half as large as the distance found."""
        radius = torch.where(self.length.isinf(), self.radius, self.length / 2)
        return replace(self, delta=torch.zeros_like(self.delta), radius=radius)
