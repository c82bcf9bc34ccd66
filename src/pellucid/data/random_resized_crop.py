"""A part of each image in the place of all of it."""

import math
from dataclasses import dataclass
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from pellucid.batch import Batch
from pellucid.data.augmentation import Augmentation, Planes, moved
from pellucid.errors import ConfigError
from pellucid.randomness import Noise


@final
@dataclass(frozen=True)
class RandomResizedCrop(Augmentation):
    """Cut out a rectangle and scale it to the whole image.

    `scale` bounds the rectangle's area as a fraction of the image's, `ratio` its width over its height; a side that
    would be longer than the image's is cut to it.
    """

    scale: tuple[float, float] = (0.25, 1.0)
    ratio: tuple[float, float] = (0.75, 1.3333)

    def __post_init__(self) -> None:
        if not 0 < self.scale[0] <= self.scale[1] <= 1:
            raise ConfigError(f"random-resized-crop has the scale {self.scale}; give two rising areas within (0, 1]")
        if not 0 < self.ratio[0] <= self.ratio[1]:
            raise ConfigError(f"random-resized-crop has the ratio {self.ratio}; give two rising ratios above 0")

    def __call__(self, batch: Batch, noise: Noise) -> Batch:
        """The batch with every image replaced by a part of it."""
        height, width = batch.x.shape[-2:]
        area, shape, top, left = noise.stream("random-resized-crop").uniform(4).unbind(1)
        pixels = height * width * (self.scale[0] + (self.scale[1] - self.scale[0]) * area)
        low, high = math.log(self.ratio[0]), math.log(self.ratio[1])
        ratio = (low + (high - low) * shape).exp()
        tall = ((pixels / ratio).sqrt() / height).clamp(max=1)
        wide = ((pixels * ratio).sqrt() / width).clamp(max=1)
        rows = _samples(top * (1 - tall), tall, height)
        columns = _samples(left * (1 - wide), wide, width)
        grid = torch.stack(
            [columns[:, None, :].expand(-1, height, -1), rows[:, :, None].expand(-1, -1, width)], dim=-1
        )
        cut = moved(batch, lambda planes: _sampled(planes, grid))
        return cut.at(cut.x.clamp(0, 1))  # a weighted mean of ones may round to more than one


def _samples(start: Float[Tensor, " b"], extent: Float[Tensor, " b"], count: int) -> Float[Tensor, "b count"]:
    """The centers of `count` equal parts of a stretch of the unit line, from -1 to 1 as `grid_sample` counts."""
    centers = (torch.arange(count, device=start.device) + 0.5) / count
    return 2 * (start[:, None] + extent[:, None] * centers) - 1


def _sampled(planes: Planes, grid: Float[Tensor, "b h w 2"]) -> Planes:
    if planes.is_floating_point():
        exact = torch.promote_types(planes.dtype, torch.float32)
        found = F.grid_sample(planes.to(exact), grid.to(exact), padding_mode="border", align_corners=False)
    else:  # numbers of segments, say, have no mean
        found = F.grid_sample(
            planes.double(), grid.double(), mode="nearest", padding_mode="border", align_corners=False
        )
    return found.to(planes.dtype)
