"""Similarities that fall with the distance between classes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.metrics.neurons.class_similarity import ClassSimilarity, sized, table_of

Kernel = Literal["gaussian", "exponential"]


@dataclass(frozen=True)
class Distances(ClassSimilarity):
    """Distances that are given, a row for each class, and a kernel that makes similarities of them.

    `gaussian` is exp(-d² / (2 sigma²)), `exponential` is exp(-d / sigma).
    """

    rows: tuple[tuple[float, ...], ...]
    kernel: Kernel = "gaussian"
    sigma: float = 2.0

    def __post_init__(self) -> None:
        check_sigma(self.sigma, "distances between classes")
        table = table_of(self.rows, "a table of class distances")
        if not bool((table >= 0).all()):
            raise ConfigError(f"a table of class distances has the entry {float(table.min()):g}; none is below 0")
        if not bool((table.diagonal() == 0).all()):
            raise ConfigError("a table of class distances has other numbers than 0 on its diagonal")

    def matrix(self, classes: Sequence[str]) -> Float[Tensor, "k k"]:
        """The kernel of the distances."""
        table = sized(table_of(self.rows, "a table of class distances"), classes, "a table of class distances")
        return near(table, self.kernel, self.sigma)


def near(distances: Float[Tensor, "k k"], kernel: Kernel, sigma: float) -> Float[Tensor, "k k"]:
    """The similarity at each distance: 1 at none, 0 at an infinite one."""
    if kernel == "gaussian":
        return torch.exp(-distances.square() / (2 * sigma**2))
    return torch.exp(-distances / sigma)


def check_sigma(sigma: float, owner: str) -> None:
    """Refuse a kernel without a width."""
    if not (math.isfinite(sigma) and sigma > 0):
        raise ConfigError(f"{owner} have sigma={sigma:g}; the width of a kernel is above 0")
