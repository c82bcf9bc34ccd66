"""What chance decides in each of Square's queries, drawn for many queries at once.

The numbers of one query are so few that drawing them by themselves took a tenth of a search on one small image.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.randomness import Noise

AHEAD = 64
"""Queries that are drawn for at once."""


@dataclass(frozen=True)
class Draws:
    """One query's numbers in [0, 1), a row per image: two places, a turn, and a sign for each channel."""

    numbers: Float[Tensor, "b k"]

    @staticmethod
    def ahead(noise: Noise, channels: int) -> Float[Tensor, "b queries k"]:
        """The numbers of the queries to come."""
        return noise.uniform(AHEAD, 5 + channels, dtype=torch.float64)

    @property
    def receiver(self) -> Float[Tensor, "b 2"]:
        """Where the window lies, from the top and from the left, as shares of where it may lie."""
        return self.numbers[:, :2]

    @property
    def giver(self) -> Float[Tensor, "b 2"]:
        """Where the window lies that mass is taken from."""
        return self.numbers[:, 2:4]

    @property
    def turn(self) -> Int[Tensor, " b"]:
        """0 or 1, either as likely."""
        return (self.numbers[:, 4] * 2).long()

    def signs(self, dtype: torch.dtype) -> Float[Tensor, "b channels 1 1"]:
        """-1 or 1, either as likely."""
        return ((self.numbers[:, 5:] >= 0.5).to(dtype) * 2 - 1)[:, :, None, None]
