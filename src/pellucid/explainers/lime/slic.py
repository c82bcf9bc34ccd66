"""Superpixels by k-means over colors and places, of scikit-image."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, final

from jaxtyping import Float, Int
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.explainers.lime.segmentation import Segmentation, one_by_one

_PIXELS = 9  # that a superpixel has at the least, so that it differs from its mean


@final
@dataclass(frozen=True)
class Slic(Segmentation):
    """About `segments` superpixels, by k-means over colors and places (SLIC); one for every 9 pixels at most.

    `sigma` is the deviation of a blur, without which noise may become a single superpixel.

    Three channels are compared as RGB, in Lab. Of any other number the mean square difference counts, on the scale of
    Lab's lightness, so that `compactness` means the same for gray images and for those of many bands.
    """

    segments: int = 50
    compactness: float = 10.0
    sigma: float = 1.0

    def __post_init__(self) -> None:
        if self.segments < 1:
            raise ConfigError(f"Slic has segments={self.segments}; give 1 or more")
        if not (math.isfinite(self.compactness) and self.compactness > 0):
            raise ConfigError(f"Slic has compactness={self.compactness:g}; give a number above 0")
        if not (math.isfinite(self.sigma) and self.sigma >= 0):
            raise ConfigError(f"Slic has sigma={self.sigma:g}; a deviation is 0 or more, in pixels")

    def __call__(self, images: Float[Tensor, "b c h w"]) -> Int[Tensor, "b h w"]:
        """One image after another, on a CPU."""
        import skimage.segmentation

        channels, pixels = images.shape[1], images.shape[2] * images.shape[3]
        # scikit-image stretches images to [0, 1], where lightness goes to 100 in Lab
        compactness = self.compactness * (1 if channels == 3 else math.sqrt(channels) / 100)
        slic: Any = skimage.segmentation.slic
        return one_by_one(
            images,
            partial(
                slic,
                n_segments=max(1, min(self.segments, pixels // _PIXELS)),
                compactness=compactness,
                sigma=self.sigma,
                convert2lab=channels == 3,
                start_label=0,
                channel_axis=-1,
            ),
        )
