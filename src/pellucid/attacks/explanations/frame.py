"""A frame around the picture."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attacks.explanations.aim import Planes, TowardsMap
from pellucid.batch import Batch
from pellucid.errors import ConfigError, ShapeError


@final
@dataclass(frozen=True)
class Frame(TowardsMap):
    """A map of 1 on the border and 0 inside, which no honest map looks like (Joo et al. 2023).

    The border is `width` places wide; 0 stands for 5/32 of the shorter side, as published for two sizes.
    """

    width: int = 0

    def __post_init__(self) -> None:
        if self.width < 0:
            raise ConfigError(f"frame has width={self.width}; give a number of places, or 0 for 5/32 of the side")

    def reference(self, clean: Planes, batch: Batch) -> Float[Tensor, "b h w"]:
        """The same frame for all images."""
        high, wide = clean.shape[1:]
        width = self.width or max(1, round(5 / 32 * min(high, wide)))
        if 2 * width >= min(high, wide):
            raise ShapeError(f"a frame of width {width} leaves nothing inside maps of {high} x {wide}; give less")
        frame = torch.ones_like(clean)
        frame[:, width:-width, width:-width] = 0
        return frame
