"""What terms do with gradients: bring them to units, ask for maps beside them, and compare directions."""

from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ShapeError
from pellucid.models import deviation
from pellucid.probe import Probe

Units = Literal["pixels", "network"]
"""Pixels from 0 to 1, or pixels as the network has normalized them."""


def factor(probe: Probe, units: Units) -> Tensor | float:
    """What a gradient for pixels from 0 to 1 is multiplied by to be one in these units, for each channel."""
    return deviation(probe.network) if units == "network" else 1.0


def reference_map(probe: Probe, column: str) -> Float[Tensor, "b *shape"]:
    """The column's maps, which must be of the images' shape; a gradient has as many numbers as its image."""
    maps, x = probe.batch.column(column), probe.x
    if maps.shape != x.shape:
        raise ShapeError(
            f"the column '{column}' holds maps of shape {tuple(maps.shape[1:])} for images of shape "
            f"{tuple(x.shape[1:])}; each pixel of each channel needs one number"
        )
    return maps.to(x.dtype)


def cosine(one: Float[Tensor, "b *shape"], other: Float[Tensor, "b *shape"]) -> Float[Tensor, " b"]:
    """The cosine between two vectors, per image; 0, without a slope, where either is zero and has no direction."""
    one, other = one.flatten(1), other.flatten(1)
    directed = one.detach().any(1) & other.detach().any(1)
    # at a vector of zero the quotient is 0 / 1e-8, whose slope of 1e8 would end a training
    return F.cosine_similarity(one, other, dim=1, eps=1e-8).where(directed, 0.0)
