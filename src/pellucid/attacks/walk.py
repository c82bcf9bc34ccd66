"""A walk by ever shorter steps: the stepping of Woods et al. (2019), which knows no ball and needs no start."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.attacks.search import column, where
from pellucid.errors import ConfigError
from pellucid.norms import RMS, Linf
from pellucid.protocols import Norm


@dataclass(frozen=True)
class Walk:
    """Steps of unit direction whose lengths fall linearly and add up to `trajectory`.

    `floor` is added to a direction's length before dividing by it: with the published 1e-8, steps along the gradients
    of a saturated network fade.
    """

    steps: int
    trajectory: float
    momentum: float
    norm: Norm
    clip: bool
    floor: float

    def check(self, owner: str) -> None:
        """Refuse a walk that leads nowhere."""
        if not 0 < self.trajectory < math.inf:
            raise ConfigError(
                f"{owner} has trajectory={self.trajectory:g}; the lengths of its steps add up to more than 0"
            )
        if isinstance(self.norm, Linf | RMS) and self.trajectory > 4 * self.steps:
            raise ConfigError(
                f"{owner} has trajectory={self.trajectory:g} in {self.steps} steps, each far longer than the "
                "whole range of a pixel; give a shorter one, or more steps"
            )
        if not 0 <= self.floor <= 0.01:
            raise ConfigError(f"{owner} has floor={self.floor:g}; it is a small number, such as 1e-8, or 0 for none")
        if not 0 <= self.momentum < 1:
            raise ConfigError(f"{owner} has momentum={self.momentum:g}; it is a share in [0, 1)")

    def step(
        self,
        origin: Float[Tensor, "b *shape"],
        delta: Float[Tensor, "b *shape"],
        velocity: Float[Tensor, "b *shape"],
        gradient: Float[Tensor, "b *shape"],
        met: Bool[Tensor, " b"],
        number: int,
    ) -> tuple[Float[Tensor, "b *shape"], Float[Tensor, "b *shape"]]:
        """The next perturbation and velocity: along the gradient, or back towards the origin where `met`."""
        size = self.norm.size(delta)
        back = -delta / column(size.where(size > 0, 1.0), delta)
        direction = where(met, back, self.norm.steepest(gradient))
        if self.floor:
            size = torch.where(met, size, self.norm.size(gradient))
            direction = direction * column(size / (size + self.floor), delta)
        if self.momentum:
            direction = velocity = self.momentum * velocity + (1 - self.momentum) * direction
        length = self.trajectory * 2 * (self.steps - number) / (self.steps * (self.steps + 1))
        delta = delta + length * direction
        return ((origin + delta).clamp(0, 1) - origin if self.clip else delta), velocity
