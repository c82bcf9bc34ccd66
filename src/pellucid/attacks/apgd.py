"""Auto-PGD (Croce and Hein 2020): projected gradient ascent that halves its steps where they stop helping."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.attacks.attack import Attack, check_budget, check_steps
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.losses import LOSSES, Loss, climbed
from pellucid.attacks.random_point import random_on_surface
from pellucid.attacks.search import column, iterate, where
from pellucid.attacks.sparse_climb import SparseClimb
from pellucid.attacks.victim import Images, Victim
from pellucid.errors import ConfigError, suggestion
from pellucid.norms import L1, L2, RMS, Linf
from pellucid.papers import CROCE, cites
from pellucid.protocols import Norm


@cites(CROCE)
@dataclass(frozen=True)
class APGD(Attack):
    """Ascent of one loss from a random point of the ball's surface; in L1, of few pixels at a time from a random one.

    `samples` passes are averaged at every step, for networks that answer at random. Settings as in AutoAttack;
    `Repeat` makes restarts of it.
    """

    eps: float = 8 / 255
    steps: int = 100
    loss: str = "cross-entropy"
    samples: int = 1
    norm: Norm = field(default_factory=Linf)
    goal: Goal = field(default_factory=Misclassified)

    def __post_init__(self) -> None:
        self._climb.check("APGD", ("cross-entropy", "margin", "dlr"))

    @property
    def budget(self) -> float:
        """The ball that it stays in."""
        return self.eps

    def search(self, victim: Victim) -> Images:
        """The first point that reaches the goal, or else that with the highest loss."""
        return self._climb(victim, victim.y)

    @property
    def _climb(self) -> "Climb":
        return Climb(self.eps, self.steps, self.samples, self.norm, self.goal, self.loss)


@dataclass(frozen=True)
class Climb:
    """One ascent of a loss in a ball: momentum, steps that halve by checkpoints, returns to the highest point."""

    eps: float
    steps: int
    samples: int
    norm: Norm
    goal: Goal
    loss: str

    momentum: ClassVar[float] = 0.75  # the share of the new step

    def check(self, owner: str, losses: tuple[str, ...]) -> None:
        """Refuse what leads nowhere: a loss without its rival does not either, and every image would stand."""
        if self.loss not in losses:
            raise ConfigError(f"{owner} has loss='{self.loss}'{suggestion(self.loss, losses)}")
        check_budget(self.eps, self.norm, owner)
        check_steps(self.steps, owner)
        if not isinstance(self.norm, Linf | L2 | RMS | L1):
            raise ConfigError(f"{owner} works in linf, l2, rms or l1, not in {self.norm}; take pgd or fmn for that")
        if self.samples < 1:
            raise ConfigError(f"{owner} has samples={self.samples}; a gradient is taken of 1 pass or more")

    def __call__(self, victim: Victim, rival: Int[Tensor, " b"]) -> Images:
        """The first point that reaches the goal, or else that with the highest loss."""
        if isinstance(self.norm, L1):  # where few pixels move at a time
            return SparseClimb(self.eps, self.steps, self.samples, self.goal, self._loss)(victim, rival)
        start = random_on_surface(victim, self.norm, self.eps)
        logits, gradient = climbed(victim, start, rival, self._loss, self.samples)
        height = self._loss(logits, victim.y, rival)
        reached = self.goal.reached(logits, victim.y)
        state = _State(
            x=start,
            before=start,
            gradient=gradient,
            height=height,
            step=victim.x.new_full((len(start),), 2 * self.eps),
            peak=start,
            peak_gradient=gradient,
            peak_height=height,
            height_at_check=height,
            rises=torch.zeros_like(victim.y),
            halved=torch.ones_like(reached),
            rival=rival,
            best=start,
            done=reached,
        )
        return iterate(victim, state, self._step, self.steps)

    @property
    def _loss(self) -> Loss:
        return LOSSES[self.loss]

    def _step(self, victim: Victim, state: "_State", number: int) -> "_State":
        x = self._moved(victim, state, number)
        logits, gradient = climbed(victim, x, state.rival, self._loss, self.samples)
        height = self._loss(logits, victim.y, state.rival)
        reached = self.goal.reached(logits, victim.y)
        higher = height > state.peak_height
        peak, peak_gradient = where(higher, x, state.peak), where(higher, gradient, state.peak_gradient)
        best = where(state.done, state.best, where(reached, x, peak))
        risen = replace(
            state,
            x=x,
            before=state.x,
            gradient=gradient,
            height=height,
            peak=peak,
            peak_gradient=peak_gradient,
            peak_height=torch.where(higher, height, state.peak_height),
            rises=state.rises + (height > state.height),
            best=best,
            done=state.done | reached,
        )
        since = checkpoints(self.steps).get(number)
        return risen if since is None else _checked(risen, since)

    def _moved(self, victim: Victim, state: "_State", number: int) -> Images:
        origin, x = victim.x, state.x
        ahead = self._inside(origin, x + column(state.step, x) * self.norm.steepest(state.gradient))
        if number == 0:  # there is no direction yet to keep to
            return ahead
        return self._inside(origin, x + self.momentum * (ahead - x) + (1 - self.momentum) * (x - state.before))

    def _inside(self, origin: Images, x: Images) -> Images:
        # the ball first, then the box, which leads no farther from an image in it
        return (origin + self.norm.project(x - origin, self.eps)).clamp(0, 1)


@dataclass(frozen=True)
class _State:
    x: Float[Tensor, "b *shape"]
    before: Float[Tensor, "b *shape"]
    gradient: Float[Tensor, "b *shape"]
    height: Float[Tensor, " b"]
    step: Float[Tensor, " b"]
    peak: Float[Tensor, "b *shape"]
    peak_gradient: Float[Tensor, "b *shape"]
    peak_height: Float[Tensor, " b"]
    height_at_check: Float[Tensor, " b"]
    rises: Int[Tensor, " b"]
    halved: Bool[Tensor, " b"]
    rival: Int[Tensor, " b"]
    best: Float[Tensor, "b *shape"]
    done: Bool[Tensor, " b"]


def _checked(state: _State, since: int) -> _State:
    """Where few of the latest steps went up, or none found a new height, halve the step and go back to the peak."""
    wavering = state.rises <= 0.75 * since
    stuck = ~state.halved & (state.height_at_check >= state.peak_height)
    halve = wavering | stuck
    return replace(
        state,
        x=where(halve, state.peak, state.x),
        gradient=where(halve, state.peak_gradient, state.gradient),
        step=torch.where(halve, state.step / 2, state.step),
        height_at_check=state.peak_height,
        rises=torch.zeros_like(state.rises),
        halved=halve,
    )


def checkpoints(steps: int) -> dict[int, int]:
    """The steps after which to check, and how many steps lie between each and the one before.

    The first stretch is 22 % of all steps; every next one is 3 % of them shorter, down to 6 %.
    """
    stretch, shortest, less = max(int(0.22 * steps), 1), max(int(0.06 * steps), 1), max(int(0.03 * steps), 1)
    found: dict[int, int] = {}
    at = stretch - 1
    while at < steps:
        found[at] = stretch
        stretch = max(stretch - less, shortest)
        at += stretch
    return found
