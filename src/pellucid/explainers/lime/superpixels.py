"""Segments that follow what is in an image, by scikit-image."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.explainers.lime.segmentation import Segmentation

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
        return _each(
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
        return _each(
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


def _each(images: Tensor, segment: Callable[[Any], Any]) -> Tensor:
    pictures = images.detach().permute(0, 2, 3, 1).double().cpu().numpy()
    found = [torch.from_numpy(segment(picture)).long() for picture in pictures]
    # numbered without gaps, whatever was merged on the way
    return torch.stack([labels.unique(return_inverse=True)[1] for labels in found]).to(images.device)
