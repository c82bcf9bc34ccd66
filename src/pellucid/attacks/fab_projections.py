"""The shortest change of an image that lifts a linear function by a given amount, with pixels staying in [0, 1].

These are the projections onto the part of a hyperplane that lies in the box. In each norm, pixels move the way that
lifts the function and stop at the wall; a sort tells which of them do, and there is no search.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attacks.search import column
from pellucid.norms import L1, L2, RMS, Linf

Liftable = Linf | L2 | RMS | L1
"""The norms whose projections are known."""

_NEGLIGIBLE = 1e-12  # of the largest slope: squares of it still fit into float32


def lift(
    x: Float[Tensor, "b *shape"],
    slope: Float[Tensor, "b *shape"],
    amount: Float[Tensor, " b"],
    norm: Liftable,
) -> Float[Tensor, "b *shape"]:
    """The shortest change whose product with `slope` is `amount`, or comes nearest to it in the box."""
    upward = slope * column(torch.where(amount < 0, -1, 1).to(slope.dtype), slope)
    task = _Task.scaled(x.flatten(1), upward.flatten(1), amount.abs())
    match norm:
        case Linf():
            length = _level(task, torch.ones_like(task.slope))
        case L2() | RMS():
            length = _level(task, task.slope)
        case L1():
            length = _steepest_first(task)
    return upward.sign() * length.view_as(x)


@dataclass(frozen=True)
class _Task:
    """Find 0 <= length <= room, as short as can be, with length . slope = gap."""

    slope: Float[Tensor, "b pixels"]
    room: Float[Tensor, "b pixels"]
    gap: Float[Tensor, "b 1"]

    @classmethod
    def scaled(
        cls, x: Float[Tensor, "b pixels"], slope: Float[Tensor, "b pixels"], gap: Float[Tensor, " b"]
    ) -> "_Task":
        """With a largest slope of 1; pixels that hardly matter may not move, and no slope at all leaves no gap."""
        largest = slope.abs().amax(1, keepdim=True)
        divisor = torch.where(largest > 0, largest, 1.0)
        steepness = slope.abs() / divisor
        room = torch.where(slope > 0, 1 - x, x).clamp_min(0)
        room = torch.where(steepness > _NEGLIGIBLE, room, 0.0)
        return cls(steepness, room, torch.where(largest > 0, gap[:, None] / divisor, 0.0))


def _level(task: _Task, rate: Float[Tensor, "b pixels"]) -> Float[Tensor, "b pixels"]:
    """All pixels move at their rates for the same time, unless they hit the wall before."""
    arrival, order = (task.room / rate.clamp_min(_NEGLIGIBLE)).sort(dim=1)
    gain = (task.slope * task.room).gather(1, order)
    speed = (task.slope * rate).gather(1, order)
    arrived = gain.cumsum(1) - gain  # what the pixels have gained that were at the wall before this one
    moving = speed.flip(1).cumsum(1).flip(1)  # summed from the end, so that rounding never makes it less than a part
    last = torch.searchsorted(arrived + moving * arrival, task.gap).clamp_max(arrival.shape[1] - 1)
    number = torch.finfo(rate.dtype)
    time = (task.gap - arrived.gather(1, last)) / moving.gather(1, last).clamp_min(number.tiny)
    return torch.minimum(time.clamp(0, number.max) * rate, task.room)


def _steepest_first(task: _Task) -> Float[Tensor, "b pixels"]:
    """The pixels with the largest slopes go to the wall one after the other, until the gap is closed."""
    slope, order = task.slope.sort(dim=1, descending=True)
    room = task.room.gather(1, order)
    gain = slope * room
    left = task.gap - (gain.cumsum(1) - gain)
    length = torch.minimum((left / slope.clamp_min(_NEGLIGIBLE)).clamp_min(0), room)
    return torch.zeros_like(length).scatter(1, order, length)
