"""Schedules: the share of the learning rate in force when a part of training is done.

They are functions of progress alone, so a run that is resumed needs no schedule state. Times are parts of the whole
training, from 0 to 1.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from pellucid.errors import ConfigError


class Schedule(ABC):
    """The course of the learning rate."""

    registry: ClassVar[str] = "pellucid.train:SCHEDULES"

    @abstractmethod
    def at(self, progress: float) -> float:
        """The share of the learning rate at this point of training."""


@dataclass(frozen=True)
class Constant(Schedule):
    """The full rate, after a straight rise over the first part `warmup`."""

    warmup: float = 0.0

    def __post_init__(self) -> None:
        _check_part("warmup", self.warmup)

    def at(self, progress: float) -> float:
        """The share of the rate at a step: it rises, and then is 1."""
        return _rise(progress, self.warmup)


@dataclass(frozen=True)
class CosineSchedule(Schedule):
    """Half a cosine from the full rate down to `final`, after a straight rise over the first part `warmup`."""

    warmup: float = 0.0
    final: float = 0.0

    def __post_init__(self) -> None:
        _check_part("warmup", self.warmup)
        _check_share("final", self.final)

    def at(self, progress: float) -> float:
        """The rise, then the cosine over what is left."""
        if progress < self.warmup:
            return _rise(progress, self.warmup)
        return _half_cosine(1.0, self.final, (progress - self.warmup) / (1 - self.warmup))


@dataclass(frozen=True)
class StepSchedule(Schedule):
    """The full rate, multiplied by `factor` at each of the times `milestones`."""

    milestones: tuple[float, ...] = (0.5, 0.75)
    factor: float = 0.1
    warmup: float = 0.0

    def __post_init__(self) -> None:
        _check_part("warmup", self.warmup)
        _check_share("factor", self.factor)
        for milestone in self.milestones:
            _check_part("a milestone", milestone)

    def at(self, progress: float) -> float:
        """The factor, once for each milestone passed."""
        return _rise(progress, self.warmup) * self.factor ** sum(progress >= time for time in self.milestones)


@dataclass(frozen=True)
class OneCycle(Schedule):
    """A rate that goes up from `first` over the part `rise`, then down to `final`, both as half a cosine."""

    rise: float = 0.3
    first: float = 0.04
    final: float = 1e-4

    def __post_init__(self) -> None:
        _check_part("rise", self.rise)
        _check_share("first", self.first)
        _check_share("final", self.final)

    def at(self, progress: float) -> float:
        """The share of the rate at a step: it goes up, then down."""
        if progress < self.rise:
            return _half_cosine(self.first, 1.0, progress / self.rise)
        return _half_cosine(1.0, self.final, (progress - self.rise) / (1 - self.rise))


def _rise(progress: float, warmup: float) -> float:
    return progress / warmup if progress < warmup else 1.0


def _half_cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


def _check_part(name: str, part: float) -> None:
    if not 0 <= part < 1:
        raise ConfigError(f"{name} is {part}; it is a part of training, in [0, 1)")


def _check_share(name: str, share: float) -> None:
    if not 0 <= share <= 1:
        raise ConfigError(f"{name} is {share}; it is a share of the learning rate, in [0, 1]")
