"""Superpixels by quick shift, of scikit-image."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, final

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.explainers.lime.segmentation import Segmentation, one_by_one

_KERNEL, _SIDE = 4.0, 224  # pixels


@final
@dataclass(frozen=True)
class Quickshift(Segmentation):
    """Superpixels by quick shift, with the settings of the package `lime`: as many as there turn out to be.

    The `kernel` is in pixels. By "auto" it is 4 in images of 224 x 224, which that package's setting suits, and in
    proportion in smaller ones, 1 at the least; larger ones are divided at that size, since the time that quick shift
    takes grows with the fourth power of the side where its kernel grows with it.
    """

    kernel: float | Literal["auto"] = "auto"
    distance: float = 200.0
    ratio: float = 0.2

    def __post_init__(self) -> None:
        if self.kernel != "auto" and not (math.isfinite(self.kernel) and self.kernel >= 1):
            raise ConfigError(f"Quickshift has kernel={self.kernel:g}; give 1 or more, in pixels, or 'auto'")
        if not (math.isfinite(self.distance) and self.distance > 0):
            raise ConfigError(f"Quickshift has distance={self.distance:g}; give a number above 0")
        if not 0 <= self.ratio <= 1:
            raise ConfigError(f"Quickshift has ratio={self.ratio:g}; give 0 to 1")

    def __call__(self, images: Float[Tensor, "b c h w"]) -> Int[Tensor, "b h w"]:
        """One image after another, on a CPU."""
        import skimage.segmentation

        quickshift: Any = skimage.segmentation.quickshift
        high, wide = images.shape[2:]
        share = math.sqrt(high * wide) / _SIDE
        kernel = max(1.0, _KERNEL * min(1.0, share)) if self.kernel == "auto" else self.kernel
        small = images
        if self.kernel == "auto" and share > 1:
            size = max(1, round(high / share)), max(1, round(wide / share))
            small = F.interpolate(images.detach(), size, mode="area")
        found = one_by_one(
            small,
            partial(
                quickshift,
                kernel_size=kernel,
                max_dist=self.distance,
                ratio=self.ratio,
                convert2lab=images.shape[1] == 3,
                rng=0,  # which breaks ties
                channel_axis=-1,
            ),
        )
        if small is images:
            return found
        return F.interpolate(found[:, None].double(), (high, wide), mode="nearest")[:, 0].long()
