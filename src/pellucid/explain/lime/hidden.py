"""What is seen in place of a segment that is hidden."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

Baseline = Literal["segment-mean", "mean"] | float


def hidden(
    images: Float[Tensor, "b c h w"], segments: Int[Tensor, "b h w"], baseline: Baseline
) -> Float[Tensor, "b c h w"]:
    """Images of which nothing is shown: each segment's mean colour, the image's own, or one value everywhere."""
    if isinstance(baseline, str):
        places = segments.flatten(1) if baseline == "segment-mean" else torch.zeros_like(segments).flatten(1)
        pixels = images.flatten(2).double()
        sums = pixels.new_zeros(*images.shape[:2], int(places.max()) + 1)
        sizes = torch.zeros_like(sums[:, 0]).scatter_add_(1, places, torch.ones_like(pixels[:, 0]))
        # not by 0 where another image has more segments
        sizes, index = sizes.clamp_min_(1)[:, None], places[:, None].expand_as(pixels)
        means = sums.scatter_add_(2, index, pixels) / sizes
        return means.gather(2, index).view_as(images).to(images.dtype)
    return torch.full_like(images, baseline)
