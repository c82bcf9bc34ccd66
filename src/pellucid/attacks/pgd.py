"""Projected gradient descent (Madry et al. 2018), of which FGSM and momentum PGD are settings."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.attacks.attack import Attack, check_budget, check_share_of_budget, check_steps
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.search import column, iterate, where
from pellucid.attacks.victim import Images, Victim
from pellucid.errors import ConfigError, suggestion
from pellucid.norms import L1, RMS, Linf
from pellucid.papers import MADRY, cites
from pellucid.protocols import Norm

_STARTS = ("ball", "here", "image", "signs", "beyond")


@cites(MADRY)
@dataclass(frozen=True)
class PGD(Attack):
    """Steps along the steepest direction, each followed by a return into the box and the ball.

    `step` is the length of a step as a fraction of `eps`, 2 at most; 0 means 2.5 / `steps`, which can cross the ball.
    `momentum` above 0 adds that share of the direction so far, every gradient at unit mean (Dong et al. 2018).
    `start` is a random point of the `ball`, the image itself (`here`), or a random `image` drawn back into the ball,
    as advertorch does for L2. FGSM is `PGD(steps=1, step=1, start="here")`.

    Two starts are from fast adversarial training. `signs` moves every pixel up or down by the toss of a coin, half a
    budget far (Sriramanan et al. 2021). `beyond` is a random point of twice the ball, and from there on nothing is
    drawn back but into the box (N-FGSM, de Jorge et al. 2022): its points lie up to 2 eps and all steps away, and
    that is its budget, so that no measurement takes them for points of the ball.
    """

    eps: float = 8 / 255
    steps: int = 40
    step: float = 0.0
    norm: Norm = field(default_factory=Linf)
    goal: Goal = field(default_factory=Misclassified)
    momentum: float = 0.0
    start: str = "ball"

    def __post_init__(self) -> None:
        check_budget(self.eps, self.norm, "PGD")
        check_steps(self.steps, "PGD")
        check_share_of_budget(self.step, "PGD", "2.5 / steps")
        if self.start not in _STARTS:
            raise ConfigError(f"PGD has start='{self.start}'{suggestion(self.start, _STARTS)}")
        if not 0 <= self.momentum <= 1:
            raise ConfigError(f"PGD has momentum={self.momentum:g}; it is the share of what was before, from 0 to 1")

        if self.start == "beyond" and isinstance(self.norm, Linf | RMS) and self.budget > 1:
            raise ConfigError(
                f"PGD has eps={self.eps:g} with start='beyond', which may end {self.budget:g} away; that is "
                "more than the whole range of a pixel, so give a smaller eps"
            )

    @property
    def budget(self) -> float:
        """The ball that it stays in, which is larger than eps where it starts beyond that."""
        return self.eps * (2 + self.steps * self._share) if self.start == "beyond" else self.eps

    @property
    def _share(self) -> float:
        """The length of a step as a share of eps."""
        return self.step or 2.5 / self.steps

    def search(self, victim: Victim) -> Images:
        """The first point that reaches the goal, or else the last."""
        x = self._start(victim)
        none = torch.zeros(len(x), dtype=torch.bool, device=x.device)
        return iterate(victim, _State(x, x, none, torch.zeros_like(x)), self._step, self.steps)

    def _step(self, victim: Victim, state: "_State", number: int) -> "_State":
        logits, gradient = victim.ascent(state.x, self.goal.progress)
        reached = self.goal.reached(logits, victim.y)
        velocity = state.velocity
        if self.momentum:
            mean = L1().size(gradient).clamp_min(torch.finfo(gradient.dtype).tiny)
            gradient = velocity = self.momentum * velocity + gradient / column(mean, gradient)
        x = self._drawn_back(victim, state.x + self.eps * self._share * self.norm.steepest(gradient))
        # a point that reached the goal stays; every other image goes on to its next one
        best = where(state.done, state.best, where(reached, state.x, x))
        return _State(x, best, state.done | reached, velocity)

    def _drawn_back(self, victim: Victim, x: Images) -> Images:
        return x.clamp(0, 1) if self.start == "beyond" else inside(victim.x, x, self.norm, self.eps)

    def _start(self, victim: Victim) -> Images:
        x, noise = victim.x, victim.noise.stream("start")
        if self.start == "ball":
            return inside(x, x + self.norm.random(x, self.eps, noise), self.norm, self.eps)
        if self.start == "beyond":
            return self._drawn_back(victim, x + self.norm.random(x, 2 * self.eps, noise))
        if self.start == "signs":
            signs = 2 * noise.integers(2, *x.shape[1:]).to(x.dtype) - 1
            return inside(x, x + self.norm.on_surface(signs, self.eps / 2), self.norm, self.eps)
        if self.start == "image":
            return inside(x, noise.uniform(*x.shape[1:], dtype=x.dtype), self.norm, self.eps)
        return x


@dataclass(frozen=True)
class _State:
    x: Float[Tensor, "b *shape"]
    best: Float[Tensor, "b *shape"]
    done: Bool[Tensor, " b"]
    velocity: Float[Tensor, "b *shape"]


def inside(origin: Images, x: Images, norm: Norm, eps: float) -> Images:
    """The points drawn back into the box, then into the ball, which does not lead out of the box again."""
    return origin + norm.project(x.clamp(0, 1) - origin, eps)
