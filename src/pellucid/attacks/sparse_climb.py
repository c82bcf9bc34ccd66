"""The ascent of Auto-PGD in L1 (Croce and Hein 2021): few pixels at a time, in balls that shrink to the budget."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.attacks.goals import Goal
from pellucid.attacks.losses import Loss, climbed
from pellucid.attacks.search import column, iterate, where
from pellucid.attacks.victim import Images, Victim
from pellucid.norms import L0

_REDUCTION = 1.5  # of the share of pixels that move, and of steps where it settles
_SHORTEST = 10  # steps are no shorter than this part of the budget


@dataclass(frozen=True)
class SparseClimb:
    """One ascent of a loss in the part of an L1 ball that lies in the box."""

    eps: float
    steps: int
    samples: int
    goal: Goal
    loss: Loss

    def __call__(self, victim: Victim, rival: Int[Tensor, " b"]) -> Images:
        """The first point that reaches the goal, or else that with the highest loss."""
        x = victim.x
        point = x + victim.noise.stream("start").normal(*x.shape[1:], dtype=x.dtype)
        for eps, steps in self._stages():
            start = x + project_boxed(x, point - x, eps)
            point = _Stage(self, eps, steps, last=eps == self.eps)(victim, start, rival)
        return point

    def _stages(self) -> Iterator[tuple[float, int]]:
        """Thrice the budget for three tenths of the steps, twice for as many, and the budget for the rest."""
        wide = int(0.3 * self.steps)
        if wide:
            yield 3 * self.eps, wide
            yield 2 * self.eps, wide
        yield self.eps, self.steps - 2 * wide


@dataclass(frozen=True)
class _Stage:
    climb: SparseClimb
    eps: float
    steps: int
    last: bool

    def __call__(self, victim: Victim, start: Images, rival: Tensor) -> Images:
        logits, gradient = climbed(victim, start, rival, self.climb.loss, self.climb.samples)
        height = self.climb.loss(logits, victim.y, rival)
        changed = L0().size(start - victim.x)
        state = _State(
            x=start,
            gradient=gradient,
            step=height.new_full((len(start),), self.eps),
            changed=changed,
            moving=changed / _REDUCTION,
            peak=start,
            peak_gradient=gradient,
            peak_height=height,
            rival=rival,
            best=start,
            done=self._reached(logits, victim),
        )
        return iterate(victim, state, self._step, self.steps)

    def _reached(self, logits: Tensor, victim: Victim) -> Tensor:
        # in a wider ball than the budget's nothing is done yet
        return self.climb.goal.reached(logits, victim.y) & self.last

    def _step(self, victim: Victim, state: "_State", number: int) -> "_State":
        ahead = state.x + column(state.step, state.x) * _steepest(state.gradient, state.moving)
        x = victim.x + project_boxed(victim.x, ahead - victim.x, self.eps)
        logits, gradient = climbed(victim, x, state.rival, self.climb.loss, self.climb.samples)
        height = self.climb.loss(logits, victim.y, state.rival)
        reached = self._reached(logits, victim)
        higher = height > state.peak_height
        peak, peak_gradient = where(higher, x, state.peak), where(higher, gradient, state.peak_gradient)
        peak_height = torch.where(higher, height, state.peak_height)
        best = where(state.done, state.best, where(reached, x, peak))
        done = state.done | reached
        step, changed, moving = state.step, state.changed, state.moving
        if (number + 1) % max(int(0.04 * self.steps), 1) == 0:
            found = L0().size(peak - victim.x)
            sparser = found < 0.95 * changed
            step = torch.where(sparser, self.eps, (step / _REDUCTION).clamp_min(self.eps / _SHORTEST))
            changed, moving = found, found / _REDUCTION
            x, gradient = where(sparser, peak, x), where(sparser, peak_gradient, gradient)
        return _State(x, gradient, step, changed, moving, peak, peak_gradient, peak_height, state.rival, best, done)


@dataclass(frozen=True)
class _State:
    x: Float[Tensor, "b *shape"]
    gradient: Float[Tensor, "b *shape"]
    step: Float[Tensor, " b"]
    changed: Float[Tensor, " b"]
    moving: Float[Tensor, " b"]
    peak: Float[Tensor, "b *shape"]
    peak_gradient: Float[Tensor, "b *shape"]
    peak_height: Float[Tensor, " b"]
    rival: Int[Tensor, " b"]
    best: Float[Tensor, "b *shape"]
    done: Bool[Tensor, " b"]


def _steepest(gradient: Images, moving: Float[Tensor, " b"]) -> Images:
    """A change of L1 length 1 shared equally by so many entries, those with the largest gradients."""
    flat = gradient.flatten(1).abs()
    pixels = flat.shape[1]
    place = (pixels - moving).clamp(0, pixels - 1).long()
    least = flat.sort(1).values.gather(1, place[:, None])
    signs = torch.where(flat >= least, gradient.flatten(1).sign(), 0)
    return (signs / signs.abs().sum(1, keepdim=True).clamp_min(1)).view_as(gradient)


def project_boxed(x: Images, delta: Images, eps: float) -> Images:
    """The change nearest to `delta` with an L1 length of at most `eps` and x + change in [0, 1].

    The ball first and the box afterwards end at another point, farther from what was asked for (Croce and Hein 2021).
    Each entry gives up the same amount and then stops at its wall; the length that is left falls piece by piece
    linearly with that amount, so that a sort finds it.
    """
    size = delta.flatten(1).abs()
    room = torch.where(delta > 0, 1 - x, x).flatten(1).clamp_min(0)
    # an entry is at its wall until the amount is size - room, and gone from size on
    leaves, ends = (size - room).clamp_min(0), size
    corners, order = torch.cat([leaves, ends], 1).sort(1)
    slope = torch.cat([torch.ones_like(leaves), -torch.ones_like(ends)], 1).gather(1, order).cumsum(1)
    whole = torch.minimum(size, room).sum(1, keepdim=True)
    fallen = torch.cat([torch.zeros_like(whole), (slope[:, :-1] * corners.diff(dim=1)).cumsum(1)], 1)
    excess = whole - eps
    last = (torch.searchsorted(fallen, excess) - 1).clamp(0, fallen.shape[1] - 1)
    beyond = (excess - fallen.gather(1, last)) / slope.gather(1, last).clamp_min(1)
    amount = torch.where(excess > 0, corners.gather(1, last) + beyond, 0.0)
    return (delta.flatten(1).sign() * torch.minimum((size - amount).clamp_min(0), room)).view_as(delta)
