"""A ReLU without a corner."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.errors import ConfigError


class HalfHuber(nn.Module):
    """A ReLU whose corner is a parabola of width `delta`, so that its slope has no jump (Woods et al., 2019)."""

    def __init__(self, delta: float = 0.5) -> None:
        super().__init__()
        if not 0 < delta < math.inf:
            raise ConfigError(f"half-huber has delta={delta:g}; it is the width of a parabola and must be positive")
        self.delta = delta

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """0 up to 0, x² / (2 delta) up to delta, then x - delta / 2."""
        parabola = x.clamp(0, self.delta).square() / (2 * self.delta)
        return torch.where(x < self.delta, parabola, x - self.delta / 2)

    def extra_repr(self) -> str:
        """The width, which `print` shows."""
        return f"delta={self.delta:g}"
