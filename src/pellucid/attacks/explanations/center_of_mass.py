"""Away from where the map lay."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attacks.explanations.aim import Aim, Planes


@final
@dataclass(frozen=True)
class CenterOfMass(Aim):
    """The center of the map's absolute values, as far from where it was as it goes (Ghorbani et al. 2019)."""

    sloping: ClassVar[bool] = False

    def loss(self, now: Planes, reference: Planes) -> Float[Tensor, " b"]:
        """Less the distance between the centers, in places."""
        square = (center(now) - center(reference)).square().sum(1)
        # the root has no slope at 0
        return -torch.where(square > 0, torch.where(square > 0, square, 1).sqrt(), 0)


def center(planes: Planes) -> Float[Tensor, "b 2"]:
    """Row and column of the center of mass; the middle, for a map of zeros."""
    mass = planes.abs()
    mass = torch.where(mass.sum((1, 2), keepdim=True) > 0, mass, 1)
    rows, columns = (torch.arange(side, dtype=mass.dtype, device=mass.device) for side in mass.shape[1:])
    total = mass.sum((1, 2))
    return torch.stack([(mass.sum(2) * rows).sum(1) / total, (mass.sum(1) * columns).sum(1) / total], 1)
