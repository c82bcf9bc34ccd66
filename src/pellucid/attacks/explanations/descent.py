"""Steps down a slope, in the norm that perturbations are measured by."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attacks.search import column
from pellucid.protocols import Norm

Images = Float[Tensor, "b *shape"]
Optimizer = Literal["adam", "steepest"]
"""Adam's steps, as published, at which all pixels move; or the direction along which a loss falls most by a step of
this length in the norm: the sign in linf, the gradient itself in l2 and rms."""


@dataclass(frozen=True, eq=False)
class Descent:
    """Where to step next. Adam's moments are kept pixel by pixel, so no image knows of another."""

    optimizer: Optimizer
    norm: Norm
    first: Images
    second: Images
    number: int = 0

    @classmethod
    def begin(cls, optimizer: Optimizer, norm: Norm, x: Images) -> "Descent":
        """No step made yet."""
        return cls(optimizer, norm, torch.zeros_like(x), torch.zeros_like(x))

    def step(self, gradient: Images) -> tuple[Images, "Descent"]:
        """A step of length 1, and what there is to remember of it."""
        if self.optimizer == "steepest":
            return -self.norm.steepest(gradient), self
        number = self.number + 1
        first, second = 0.9 * self.first + 0.1 * gradient, 0.999 * self.second + 0.001 * gradient.square()
        mean, square = first / (1 - 0.9**number), second / (1 - 0.999**number)
        full = self.norm.size(torch.ones_like(gradient))
        direction = mean / (square.sqrt() + 1e-8) / column(full, gradient)
        return -direction, Descent(self.optimizer, self.norm, first, second, number)
