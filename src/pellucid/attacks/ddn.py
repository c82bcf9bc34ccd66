"""Decoupled direction and norm (Rony et al. 2019): gradient steps on a sphere whose radius follows the boundary."""

from dataclasses import dataclass, field, replace

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
from pellucid.norms import L2, RMS
from pellucid.papers import RONY, cites
from pellucid.protocols import Norm


@cites(RONY)
@dataclass(frozen=True)
class DDN(Attack):
    """Steps along the gradient, each followed by a return to a sphere around the image.

    The sphere follows the boundary: it becomes as large as it would have to be if the network were linear, shrinking
    after a point that reaches the goal and growing after one that does not, by the share `gamma` at least. `radius`
    is the first one as a multiple of that guess and `step` the first step as a multiple of the radius, so that
    nothing hangs on how large logits or distances are. Along a cosine, steps fall to a hundredth and `gamma` to
    0.001.

    With `published` it is the paper's, its defaults included: `radius` and `step` are lengths in L2, whichever norm
    measures what is found, and the radius changes by `gamma` at every step.
    """

    steps: int = 100
    radius: float = 1.0
    step: float = 1.0
    gamma: float = 0.05
    published: bool = False
    norm: Norm = field(default_factory=L2)
    goal: Goal = field(default_factory=Misclassified)

    def __post_init__(self) -> None:
        check_steps(self.steps, "DDN")
        if not isinstance(self.norm, L2 | RMS):
            raise ConfigError(f"DDN has norm={self.norm}; its spheres are those of L2 and RMS")
        check_step_lengths("DDN", self.published, radius=self.radius, step=self.step)
        if not 0 < self.gamma < 1:
            raise ConfigError(f"DDN has gamma={self.gamma:g}; it is a share between 0 and 1")

    @property
    def absolute(self) -> str:
        """The published radius and step are lengths."""
        return (
            f"its first radius and step are {self.radius:g} and {self.step:g} long in L2, whatever the network"
            if self.published
            else ""
        )

    def search(self, victim: Victim) -> Images:
        """The nearest point; the last one where the goal was never reached."""
        radius = victim.x.new_full((len(victim),), self.radius if self.published else 0.0)
        state = _State(**vars(started(victim.x)), radius=radius)
        # one look more than steps, since the last point may be the nearest
        return victim.x + iterate(victim, state, self._step, self.steps + 1)

    def _step(self, victim: Victim, state: "_State", number: int) -> "_State":
        x, elapsed = victim.x + state.delta, number / self.steps
        if number == self.steps:
            return looked(state, self.goal.reached(victim.logits(x), victim.y), L2())
        logits, gradient = victim.ascent(x, self._score(number))
        margin = self.goal.margin(logits, victim.y)
        gradient = gradient if self.published else inward(gradient, x)
        # in L2, whose nearest point is that of RMS
        state = looked(state, margin > 0, L2())
        if self.published:
            radius = state.radius * torch.where(margin > 0, 1 - self.gamma, 1 + self.gamma)
        else:
            share = annealed(self.gamma, 0.001, elapsed)
            radius = boundary(state, state.radius, gradient, margin, L2(), share)
            radius = radius * self.radius if number == 0 else radius
        radius = torch.minimum(radius, L2().size(torch.maximum(victim.x, 1 - victim.x)))
        length = annealed(self.step, self.step / 100, elapsed) * (
            torch.ones_like(radius) if self.published else radius
        )
        direction = L2().steepest(state.delta + column(length, x) * L2().steepest(gradient))
        delta = (victim.x + column(radius, x) * direction).clamp(0, 1) - victim.x
        return replace(state, delta=delta, radius=radius)

    def _score(self, number: int) -> Score:
        if self.published:
            return self.goal.progress
        # the first guess is of where the margin ends
        return self.goal.margin if number == 0 or self.goal.single else evenly(self.goal)


@dataclass(frozen=True)
class _State(Shortest):
    radius: Float[Tensor, " b"]
