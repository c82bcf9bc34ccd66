"""Away from the places that mattered most."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attacks.explanations.aim import Aim, Planes
from pellucid.errors import ConfigError


@final
@dataclass(frozen=True)
class TopK(Aim):
    """Less of the map on the places that had its largest absolute values (Ghorbani et al. 2019).

    `share` is the part of all places that count as those; the loss is their part of all absolute values.
    """

    share: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ConfigError(f"top-k has share={self.share:g}; it is a part of all places, between 0 and 1")

    def loss(self, now: Planes, reference: Planes) -> Float[Tensor, " b"]:
        """1 for a map of zeros: one that says nothing is no success."""
        flat, before = now.abs().flatten(1), reference.abs().flatten(1)
        count = max(1, round(self.share * flat.shape[1]))
        top = before.sort(dim=1, descending=True, stable=True).indices[:, :count]
        total = flat.sum(1)
        return torch.where(total > 0, flat.gather(1, top).sum(1) / torch.where(total > 0, total, 1), 1)
