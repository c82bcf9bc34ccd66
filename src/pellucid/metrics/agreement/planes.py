"""Maps with one value per place, which is what is compared."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ShapeError

Sign = Literal["signed", "absolute", "positive"]
"""What the sign of a map says to a metric: kept; thrown away; or only what speaks for the class is looked at."""


def planes(maps: Float[Tensor, "b *shape"], sign: Sign = "signed") -> Float[Tensor, "b h w"]:
    """The sum over channels, of which the sign is dealt with first."""
    if maps.dim() != 4:
        raise ShapeError(f"maps are {tuple(maps.shape[1:])} each; they must be (channels, height, width)")
    if sign == "absolute":
        maps = maps.abs()
    elif sign == "positive":
        maps = maps.clamp_min(0)
    return maps.sum(1)
