"""Maps with one value per place, which is what is compared."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ShapeError

Sign = Literal["signed", "absolute", "positive"]
"""What the sign of a map says to a metric: kept; thrown away; or only what speaks for the class is looked at."""

Scale = Literal["none", "largest", "sum"]
"""What a map is divided by before it is compared: nothing, its largest absolute value, or the sum of all of them."""


def planes(maps: Float[Tensor, "b *shape"], sign: Sign = "signed") -> Float[Tensor, "b h w"]:
    """The sum over channels, of which the sign is dealt with first."""
    if maps.dim() != 4:
        raise ShapeError(f"maps are {tuple(maps.shape[1:])} each; they must be (channels, height, width)")
    if sign == "absolute":
        maps = maps.abs()
    elif sign == "positive":
        maps = maps.clamp_min(0)
    return maps.sum(1)


def scaled(maps: Float[Tensor, "b h w"], scale: Scale = "largest") -> Float[Tensor, "b h w"]:
    """The maps divided by what `scale` says; those of zeros stay zeros."""
    if scale == "none":
        return maps
    sizes = maps.abs().flatten(1)
    size = (sizes.amax(1) if scale == "largest" else sizes.sum(1))[:, None, None]
    return maps / torch.where(size > 0, size, 1)
