"""Maps with one value per place, for explainers that do not tell channels apart."""

from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ShapeError
from pellucid.explainers.explainer import Images


def sides(owner: str, x: Images) -> tuple[int, int]:
    """The height and the width of images, which must have both."""
    if x.dim() != 4:
        raise ShapeError(f"{owner} reads images of (channels, height, width); these are {tuple(x.shape[1:])}")
    return x.shape[2], x.shape[3]


def to_every_channel(values: Float[Tensor, "b h w"], x: Images) -> Images:
    """The same value for all channels of a place."""
    return values[:, None].expand_as(x)
