"""What is seen in place of a segment that is hidden."""

import math
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from pellucid.errors import ConfigError
from pellucid.explainers import baseline as plain
from pellucid.explainers.lime.segmentation import Segmentation

SegmentBaseline = plain.Baseline | Literal["segment-mean"]
"""What a map may start from, or each segment's own mean color."""


def hidden(
    images: Float[Tensor, "b c h w"], segments: Int[Tensor, "b h w"], baseline: SegmentBaseline, network: nn.Module
) -> Float[Tensor, "b c h w"]:
    """Images of which nothing is shown."""
    if baseline != "segment-mean":
        return plain.baseline_of(images, baseline, network)
    places, pixels = segments.flatten(1), images.flatten(2).double()
    sums = pixels.new_zeros(*images.shape[:2], int(places.max()) + 1)
    sizes = torch.zeros_like(sums[:, 0]).scatter_add_(1, places, torch.ones_like(pixels[:, 0]))
    # not by 0 where another image has more segments
    sizes, index = sizes.clamp_min_(1)[:, None], places[:, None].expand_as(pixels)
    means = sums.scatter_add_(2, index, pixels) / sizes
    return means.gather(2, index).view_as(images).to(images.dtype)


def idle_segments(
    images: Float[Tensor, "b c h w"], hidden: Float[Tensor, "b c h w"], segments: Int[Tensor, "b h w"]
) -> Bool[Tensor, "b d"]:
    """Which segments are already what is seen in their place; also those that an image does not have."""
    places = segments.flatten(1)
    changed = plain.changed(images, hidden).flatten(1).long()
    return changed.new_zeros(len(images), int(places.max()) + 1).scatter_add_(1, places, changed) == 0


def check_segment_baseline(owner: str, baseline: SegmentBaseline, segmentation: Segmentation) -> None:
    """Refuse what cannot be seen, and what would hide nothing."""
    if not isinstance(baseline, str) and not math.isfinite(baseline):
        raise ConfigError(
            f"{owner} has baseline={baseline:g}; "
            "give a finite number, 'segment-mean', 'mean', 'blur' or 'network-mean'"
        )
    if baseline == "segment-mean" and segmentation.single:
        raise ConfigError(
            f"{owner} has baseline='segment-mean' with segments of a pixel each, and the mean of a pixel is the "
            "pixel; set the baseline to 'mean' or to a number"
        )


def check_cells(owner: str, segments: Int[Tensor, "b h w"]) -> None:
    """Refuse cells that all images share of which some are a single pixel, whose mean hides nothing."""
    sizes = torch.bincount(segments[0].flatten())
    single = int((sizes == 1).sum())
    if single:
        high, wide = segments.shape[1:]
        raise ConfigError(
            f"{owner} has baseline='segment-mean', and {single} of {len(sizes)} cells are a single pixel of images "
            f"of {high} x {wide}, whose mean is the pixel; "
            "give fewer rows and columns, or the baseline 'mean' or a number"
        )
