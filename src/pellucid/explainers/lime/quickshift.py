"""Superpixels by quick shift, of scikit-image."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, final

from jaxtyping import Float, Int
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.explainers.lime.segmentation import Segmentation, one_by_one


@final
@dataclass(frozen=True)
class Quickshift(Segmentation):
    """Superpixels by quick shift, with the settings of the package `lime`: as many as there turn out to be."""

    kernel: float = 4.0
    distance: float = 200.0
    ratio: float = 0.2

    def __post_init__(self) -> None:
        if not (math.isfinite(self.kernel) and self.kernel >= 1):
            raise ConfigError(f"Quickshift has kernel={self.kernel:g}; give 1 or more, in pixels")
        if not (math.isfinite(self.distance) and self.distance > 0):
            raise ConfigError(f"Quickshift has distance={self.distance:g}; give a number above 0")
        if not 0 <= self.ratio <= 1:
            raise ConfigError(f"Quickshift has ratio={self.ratio:g}; give 0 to 1")

    def __call__(self, images: Float[Tensor, "b c h w"]) -> Int[Tensor, "b h w"]:
        """One image after another, on a CPU."""
        import skimage.segmentation

        quickshift: Any = skimage.segmentation.quickshift
        return one_by_one(
            images,
            partial(
                quickshift,
                kernel_size=self.kernel,
                max_dist=self.distance,
                ratio=self.ratio,
                convert2lab=images.shape[1] == 3,
                rng=0,  # which breaks ties
                channel_axis=-1,
            ),
        )
