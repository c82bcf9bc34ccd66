"""Random changes to whole batches that keep an image's class.

Each image draws its own numbers, so that its change does not depend on the batch it came in. Maps and masks that lie
over the image move with it.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from pellucid.batch import Batch
from pellucid.errors import ConfigError
from pellucid.randomness import Noise

Planes = Shaped[Tensor, "b c h w"]


class Augmentation(ABC):
    """A random change of a batch, drawn per image."""

    registry: ClassVar[str] = "pellucid.data:AUGMENTATIONS"

    @abstractmethod
    def __call__(self, batch: Batch, noise: Noise) -> Batch:
        """The batch, changed; its pixels are still in [0, 1]."""


@final
@dataclass(frozen=True)
class Flip(Augmentation):
    """Mirror left and right, with a probability."""

    probability: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ConfigError(f"flip has the probability {self.probability}; give one from 0 to 1")

    def __call__(self, batch: Batch, noise: Noise) -> Batch:
        """The batch with some images mirrored."""
        chosen = noise.stream("flip").uniform() < self.probability
        return _moved(batch, lambda planes: torch.where(chosen[:, None, None, None], planes.flip(-1), planes))


@final
@dataclass(frozen=True)
class PadCrop(Augmentation):
    """Shift by up to `pad` pixels each way: pad every side, then crop to the old size.

    What comes in at the border repeats the outermost pixels, or is zero.
    """

    pad: int = 4
    fill: Literal["replicate", "zero"] = "replicate"

    def __post_init__(self) -> None:
        if self.pad < 0:
            raise ConfigError(f"pad-crop has the pad {self.pad}; give 0 or more pixels")
        if self.fill not in ("replicate", "zero"):
            raise ConfigError(f"pad-crop has the fill '{self.fill}'; give 'replicate' or 'zero'")

    def __call__(self, batch: Batch, noise: Noise) -> Batch:
        """The batch with every image shifted."""
        height, width = batch.x.shape[-2:]
        if self.pad >= min(height, width):
            raise ConfigError(
                f"pad-crop has the pad {self.pad}, and a shift as long leaves nothing of images of {height}x{width}; "
                "give less"
            )
        shift = noise.stream("pad-crop").integers(2 * self.pad + 1, 2) - self.pad
        rows, row_known = _sources(shift[:, 0], height)
        columns, column_known = _sources(shift[:, 1], width)
        source = (rows[:, :, None] * width + columns[:, None, :]).flatten(1)
        known = row_known[:, None, :, None] & column_known[:, None, None, :]

        def move(planes: Planes) -> Planes:
            places = source[:, None].expand(-1, planes.shape[1], -1)
            shifted = planes.flatten(2).gather(2, places).reshape(planes.shape)
            return shifted if self.fill == "replicate" else shifted * known

        return _moved(batch, move)


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
        cut = _moved(batch, lambda planes: _sampled(planes, grid))
        return cut.at(cut.x.clamp(0, 1))  # a weighted mean of ones may round to more than one


def _moved(batch: Batch, move: Callable[[Planes], Planes]) -> Batch:
    """The batch with `move` applied to its images and to every column that lies over them."""
    size = batch.x.shape[-2:]
    columns = dict(batch.columns)
    for name, column in batch.columns.items():
        if column.shape[-2:] == size and column.ndim == 4:
            columns[name] = move(column)
        elif column.shape[-2:] == size and column.ndim == 3:
            columns[name] = move(column[:, None])[:, 0]
    return Batch.trusted(move(batch.x), batch.y, columns)


def _sources(shift: Int[Tensor, " b"], length: int) -> tuple[Tensor, Tensor]:
    """Where each pixel of a shifted line comes from, and whether that is inside the image."""
    wanted = torch.arange(length, device=shift.device) + shift[:, None]
    return wanted.clamp(0, length - 1), (wanted >= 0) & (wanted < length)


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
