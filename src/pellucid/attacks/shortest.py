"""What a search for the nearest point carries: where it is, and the shortest way to the goal that it has met."""

import math
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.attacks.goals import Goal
from pellucid.attacks.search import where
from pellucid.attacks.victim import Images, Score
from pellucid.errors import ConfigError
from pellucid.probe import slope
from pellucid.protocols import Norm

T = TypeVar("T", bound="Shortest")

_SHARPNESS = 12  # of a softmax: how many times e the likeliest class is above the mean one
_HALF = 0.5
_FARTHEST = 5  # radii; farther steps only turn along the ball


@dataclass(frozen=True)
class Shortest:
    """A perturbation, and the shortest one met that reaches the goal: of infinite length until one does.

    Searches derive states of their own from it. No image is ever done, since a nearer point may come.
    """

    delta: Float[Tensor, "b *shape"]
    nearest: Float[Tensor, "b *shape"]
    length: Float[Tensor, " b"]
    done: Bool[Tensor, " b"]

    @property
    def best(self) -> Float[Tensor, "b *shape"]:
        """The shortest; the latest where none was met."""
        return where(self.length.isinf(), self.delta, self.nearest)


def started(x: Images) -> Shortest:
    """At the images themselves, with nothing met."""
    zero, never = torch.zeros_like(x), x.new_full((len(x),), torch.inf)
    return Shortest(zero, zero, never, never.isnan())


def looked(state: T, met: Bool[Tensor, " b"], norm: Norm) -> T:
    """The state after a look at its perturbation, which reaches the goal where `met`."""
    size = norm.size(state.delta)
    shorter = met & (size < state.length)
    return replace(
        state,
        nearest=where(shorter, state.delta, state.nearest),
        length=torch.where(shorter, size, state.length),
    )


def evenly(goal: Goal) -> Score:
    """A goal's progress over logits of one spread, so that it rises as steeply as its margin: never flat or sharp."""

    def score(logits: Tensor, y: Tensor) -> Tensor:
        fixed = logits.detach().double()  # in single precision a softmax is soon 0 and 1
        spread = fixed.amax(1, keepdim=True) - fixed.mean(1, keepdim=True)
        fixed = (fixed * (_SHARPNESS / spread.where(spread > 0, 1.0))).requires_grad_()
        weights = slope(goal.progress(fixed, y), fixed)
        # as of a margin, whose weights are 1 and -1
        total = weights.clamp_min(0).sum(1, keepdim=True)
        return ((weights / total.where(total > 0, 1.0)).to(logits.dtype) * logits).sum(1)

    return score


def inward(gradient: Images, point: Images) -> Images:
    """A gradient without what leads out of [0, 1] from where a pixel stands at the wall."""
    return gradient.where(((point > 0) | (gradient > 0)) & ((point < 1) | (gradient < 0)), 0)


def boundary(
    state: Shortest,
    radius: Float[Tensor, " b"],
    gradient: Images,
    margin: Float[Tensor, " b"],
    norm: Norm,
    share: float,
) -> Float[Tensor, " b"]:
    """How large a ball to look in next: where the boundary would be if the network were linear.

    It grows or shrinks by the `share` at least, to half at most, and no larger than what has been met.
    """
    size = norm.size(state.delta)
    rise = (gradient * norm.steepest(gradient)).flatten(1).sum(1)
    ahead = margin / rise.clamp_min(torch.finfo(rise.dtype).tiny)
    beyond = torch.maximum(radius * (1 + share), torch.minimum(size - ahead, state.length))
    before = torch.minimum(radius * (1 - share), torch.maximum(size - ahead, _HALF * size))
    return torch.where(margin > 0, torch.minimum(before, state.length), beyond)


def annealed(first: float, last: float, elapsed: float) -> float:
    """What falls along half a cosine, after the share `elapsed` of the time: `first` at 0, `last` at 1."""
    return last + (first - last) * (1 + math.cos(math.pi * elapsed)) / 2


def check_step_lengths(owner: str, published: bool, **lengths: float) -> None:
    """Refuse lengths that are none, and multiples of the radius that lead far out of any ball."""
    for name, length in lengths.items():
        if not (math.isfinite(length) and length > 0):
            raise ConfigError(f"{owner} has {name}={length:g}; it is a length above 0")
        if not published and length > _FARTHEST:
            raise ConfigError(
                f"{owner} has {name}={length:g}; it is a multiple of the ball's radius, {_FARTHEST} at most; "
                "how many steps there are is said by steps, and with published=true it is a length in L2"
            )
