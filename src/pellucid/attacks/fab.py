"""The fast adaptive boundary attack, targeted (Croce and Hein 2020, "Minimally distorted adversarial examples")."""

import math
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.attacks.attack import Attack, check_budget, check_steps
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.search import column, iterate, where
from pellucid.attacks.victim import Images, Victim
from pellucid.errors import ConfigError
from pellucid.norms import L1, L2, RMS, Linf
from pellucid.papers import CROCE_FAB, cites
from pellucid.protocols import Norm

Liftable = Linf | L2 | RMS | L1
"""The norms in which steps to a plane are known."""

_NEGLIGIBLE = 1e-12  # of the largest slope: squares of it still fit into float32


@dataclass(frozen=True)
class BoundaryWalk:
    """The state of each image's walk: its point, the nearest one that it has found, and the classes it may go to."""

    point: Float[Tensor, "b *shape"]
    best: Float[Tensor, "b *shape"]
    length: Float[Tensor, " b"]
    done: Bool[Tensor, " b"]
    targets: Int[Tensor, "b others"]


@cites(CROCE_FAB)
@dataclass(frozen=True)
class FAB(Attack):
    """Steps to where the boundary with another class would be if the network were linear, kept near the image.

    Each of the `classes` most likely wrong classes is walked to in turn. A step goes `overshoot` times the way to the
    boundary from the point and from the image, mixed with at most the share `bias` of the latter; a point beyond the
    boundary is drawn back to `backward` of its way. The nearest point found counts, and an image leaves once that is
    within `eps`; with `eps=inf` none does. The defaults are AutoAttack's. Nothing is random: `Repeat` adds nothing.
    """

    eps: float = 8 / 255
    norm: Norm = field(default_factory=Linf)
    goal: Goal = field(default_factory=Misclassified)
    steps: int = 100
    classes: int = 9
    overshoot: float = 1.05
    bias: float = 0.1
    backward: float = 0.9

    def __post_init__(self) -> None:
        if self.eps != math.inf:
            check_budget(self.eps, self.norm, "FAB")
        check_steps(self.steps, "FAB")
        if self.classes < 1:
            raise ConfigError(f"FAB has classes={self.classes}; it walks to 1 other class or more")
        check_stepping(self, "FAB")

    @property
    def budget(self) -> float:
        """The ball that is enough; none where the nearest point is looked for."""
        return self.eps

    def search(self, victim: Victim) -> Images:
        """The nearest point found, drawn back into the ball; the image itself where none was found."""
        x = victim.x
        others = victim.logits(x).scatter(1, victim.y[:, None], -math.inf)
        targets = others.topk(min(self.classes, others.shape[1] - 1), dim=1).indices
        none = torch.zeros(len(x), dtype=torch.bool, device=x.device)
        state = BoundaryWalk(x, x, x.new_full((len(x),), torch.inf), none, targets)
        nearest = iterate(victim, state, self._step, self.steps * targets.shape[1])
        return nearest if math.isinf(self.eps) else x + self.norm.project(nearest - x, self.eps)

    def _step(self, victim: Victim, state: BoundaryWalk, number: int) -> BoundaryWalk:
        turn, first = divmod(number, self.steps)
        target = state.targets[:, turn]
        point = self._approached(victim, state.point if first else victim.x, target)
        return looked_at(self, victim, state, point)

    def _approached(self, victim: Victim, point: Images, target: Int[Tensor, " b"]) -> Images:
        def ahead(logits: Tensor, y: Tensor) -> Tensor:
            return (logits.gather(1, target[:, None]) - logits.gather(1, y[:, None])).squeeze(1)

        logits, slope = victim.ascent(point, ahead)
        return stepped(self, victim.x, point, slope, -ahead(logits, victim.y))


@runtime_checkable
class Stepping(Protocol):
    """The numbers that settle a step of FAB."""

    @property
    def eps(self) -> float:
        """The ball that is enough."""
        ...

    @property
    def norm(self) -> Norm:
        """The ruler that ways are measured by."""
        ...

    @property
    def goal(self) -> Goal:
        """What lies beyond the boundary."""
        ...

    @property
    def backward(self) -> float:
        """How far a point beyond the boundary is drawn back, as a share of its way."""
        ...

    @property
    def overshoot(self) -> float:
        """How many times the way to the boundary is gone."""
        ...

    @property
    def bias(self) -> float:
        """The largest share of the way from the image."""
        ...


def looked_at(how: Stepping, victim: Victim, walk: BoundaryWalk, point: Images) -> BoundaryWalk:
    """The walk after a step: the nearest point beyond the boundary so far, and where it goes on from."""
    beyond = how.goal.reached(victim.logits(point), victim.y)
    length = how.norm.size(point - victim.x)
    nearer = beyond & (length < walk.length)
    length = torch.where(nearer, length, walk.length)
    best = where(nearer, point, walk.best)
    point = where(beyond, victim.x + how.backward * (point - victim.x), point)
    # with an infinite budget, no length is a reason to stop
    done = (length <= how.eps) & math.isfinite(how.eps)
    return BoundaryWalk(point, best, length, done, walk.targets)


def stepped(
    how: Stepping, x: Images, point: Images, slope: Images, behind: Float[Tensor, " b"]
) -> Float[Tensor, "b *shape"]:
    """The point where the boundary would be if the network were linear: ways from point and image, mixed."""
    norm = how.norm
    assert isinstance(norm, Liftable)
    away = ((x - point) * slope).flatten(1).sum(1)
    here = lift(point, slope, behind, norm)
    there = lift(x, slope, behind - away, norm)
    short, long = (norm.size(way).clamp_min(1e-8) for way in (here, there))
    share = column((short / (short + long)).clamp_max(how.bias), point)
    mixed = (1 - share) * (point + how.overshoot * here) + share * (x + how.overshoot * there)
    return mixed.clamp(0, 1)


def check_stepping(how: Stepping, owner: str) -> None:
    """Refuse settings of steps that lead nowhere."""
    if not isinstance(how.norm, Liftable):
        raise ConfigError(f"{owner} has norm={how.norm}; it projects in Linf, L2, RMS and L1")
    if not isinstance(how.goal, Misclassified):
        raise ConfigError(
            f"{owner} has goal={how.goal}; it walks to boundaries of the label's class, so give it Misclassified()"
        )
    if not 1 <= how.overshoot <= 2:
        raise ConfigError(
            f"{owner} has overshoot={how.overshoot:g}; less than 1 ends short of the boundary, and more than 2 "
            "further behind it than before it"
        )
    for name, share in (("bias", how.bias), ("backward", how.backward)):
        if not 0 <= share <= 1:
            raise ConfigError(f"{owner} has {name}={share:g}; it is a share in [0, 1]")


def lift(
    x: Float[Tensor, "b *shape"],
    slope: Float[Tensor, "b *shape"],
    amount: Float[Tensor, " b"],
    norm: Liftable,
) -> Float[Tensor, "b *shape"]:
    """The shortest change whose product with `slope` is `amount`, or comes nearest to it with pixels in [0, 1].

    It is the projection onto the part of a hyperplane that lies in the box. In each norm, pixels move the way that
    lifts the function and stop at the wall; a sort tells which of them do, and there is no search.
    """
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
