"""Images shifted by a few pixels."""

from dataclasses import dataclass
from typing import Literal, final

import torch
from jaxtyping import Int
from torch import Tensor

from pellucid.batch import Batch
from pellucid.data.augmentation import Augmentation, Planes, moved
from pellucid.errors import ConfigError
from pellucid.randomness import Noise


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

        return moved(batch, move)


def _sources(shift: Int[Tensor, " b"], length: int) -> tuple[Tensor, Tensor]:
    """Where each pixel of a shifted line comes from, and whether that is inside the image."""
    wanted = torch.arange(length, device=shift.device) + shift[:, None]
    return wanted.clamp(0, length - 1), (wanted >= 0) & (wanted < length)
