"""Where the edges of each image are, as a map without a teacher."""

import math
from dataclasses import dataclass
from typing import Literal, final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.data import Split
from pellucid.data.split import sequential
from pellucid.errors import ConfigError, DataError
from pellucid.papers import RODRIGUEZ, cites
from pellucid.randomness import Noise, derive
from pellucid.train.references.reference import Reference
from pellucid.train.references.treatment import check_treatment, treated

Images = Float[Tensor, "n c h w"]

_CHUNK = 256


@cites(RODRIGUEZ)
@final
@dataclass(frozen=True)
class Edges(Reference):
    """How steep each training image is at each pixel: blurred, differentiated by Sobel's filter, and blurred again.

    `sigma` is the width of both blurs in pixels. The channels of an image have one map in common, which has no
    negative entries. With `of="another"` each image gets the edges of another one, a control that only asks for maps
    that look like edges: which one follows from the seed of the run. `threshold` and `permute` are those of `Stored`.
    """

    of: Literal["image", "another"] = "image"
    sigma: float = 1.0
    threshold: float = 0.0
    permute: float = 0.0

    def __post_init__(self) -> None:
        check_treatment(self.threshold, self.permute, "Edges")
        if not 0 < self.sigma <= 100:
            raise ConfigError(f"Edges has sigma={self.sigma:g}; a blur is above 0 pixels wide, and 100 at most")

    def maps(self, split: Split, seed: int = 0) -> Float[Tensor, "n *shape"]:
        """The maps, computed from the images of the split."""
        if not len(split):
            raise DataError("this split has no images; find the edges of one or more")
        found = torch.cat([edges(batch.x.cpu(), self.sigma) for batch in split.batches(sequential(split, _CHUNK))])
        if self.of == "another":
            found = found[_others(len(split), seed)]
        return treated(found, threshold=self.threshold, permute=self.permute, seed=seed)


def edges(x: Images, sigma: float = 1.0) -> Images:
    """The edges of each image, by the slope from pixel to pixel: over all channels, and the same for each of them.

    What lies beyond the border is as its outermost pixel.
    """
    smooth = _blurred(x, sigma)
    squares = _sloped(smooth, 2).square() + _sloped(smooth, 3).square()
    return _blurred(squares.sum(1, keepdim=True).sqrt(), sigma).expand_as(x)


def _blurred(x: Images, sigma: float) -> Images:
    """A blur by a Gaussian that ends four deviations away."""
    reach = math.ceil(4 * sigma)
    weights = [math.exp(-0.5 * (step / sigma) ** 2) for step in range(reach + 1)]
    whole = weights[0] + 2 * sum(weights[1:])
    for dim in (2, 3):
        # from both sides at once: what is symmetric stays so to the last bit
        pairs = (_moved(x, dim, -step) + _moved(x, dim, step) for step in range(1, reach + 1))
        x = sum((w / whole * pair for w, pair in zip(weights[1:], pairs, strict=True)), start=weights[0] / whole * x)
    return x


def _sloped(x: Images, dim: int) -> Images:
    """The slope along one side by Sobel's filter: where pixels rise by 1 from one to the next, it is 1."""
    across = 5 - dim
    beside = (_moved(x, across, -1) + _moved(x, across, 1)) + 2 * x
    return (_moved(beside, dim, 1) - _moved(beside, dim, -1)) / 8


def _moved(x: Images, dim: int, step: int) -> Images:
    """At each pixel the one that lies so many steps on, or the outermost."""
    places = (torch.arange(x.shape[dim], device=x.device) + step).clamp(0, x.shape[dim] - 1)
    return x.index_select(dim, places)


def _others(images: int, seed: int) -> Tensor:
    """For each image another one, and each of them once: the next on a random round trip through all."""
    if images < 2:
        raise DataError("this split has 1 image, and edges of another one need a second; take of='image'")
    draws = Noise(derive(seed, "edges"), torch.arange(images)).uniform(dtype=torch.float64)
    trip = draws.argsort()
    return torch.empty_like(trip).scatter(0, trip, trip.roll(-1))
