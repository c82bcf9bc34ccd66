"""Segments of a pixel each."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.explainers.lime.segmentation import Segmentation


@final
@dataclass(frozen=True)
class Pixels(Segmentation):
    """Every pixel is a segment, with all its channels."""

    @property
    def shared(self) -> bool:
        """A pixel is a place."""
        return True

    @property
    def single(self) -> bool:
        """Whether each segment is a single pixel: they all are."""
        return True

    def __call__(self, images: Float[Tensor, "b c h w"]) -> Int[Tensor, "b h w"]:
        """Pixels are numbered row by row."""
        height, width = images.shape[2:]
        return torch.arange(height * width, device=images.device).view(height, width).expand(len(images), -1, -1)
