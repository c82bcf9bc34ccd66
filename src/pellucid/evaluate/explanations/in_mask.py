"""Where the object is that an explanation should speak of."""

import math
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Bool
from torch import Tensor

from pellucid.errors import NotFinite, ShapeError
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.metric import Metric

Places = Bool[Tensor, "b h w"]


class InMask(Metric):
    """A metric of where a map lies: a share, of which all should be in the column `mask`."""

    better: ClassVar = "higher"

    @property
    def low(self) -> float:
        """The least that a value can be: all of the map lies outside the object."""
        return 0.0

    @property
    def high(self) -> float:
        """The most that a value can be: all of the map lies inside the object."""
        return 1.0

    @property
    def needed(self) -> tuple[str, ...]:
        """The column that images must have: a mask of where the object is."""
        return ("mask",)

    @property
    def undefined(self) -> str:
        """Nowhere to lie, or nothing that tells places apart."""
        return "the mask is empty or the map is constant"

    @property
    def cost(self) -> str:
        """What it takes for an image: no pass, only a look at the map."""
        return "no pass"


def inside(case: Case) -> Places:
    """The column `mask`: true, or above 0.5, at the pixels of the object."""
    mask = case.batch.column("mask").to(case.x.device)
    wanted = (len(case), *case.x.shape[-2:])
    if mask.dim() == 4 and mask.shape[1] == 1:
        mask = mask[:, 0]
    if mask.shape != wanted:
        raise ShapeError(
            f"the column 'mask' is {tuple(mask.shape)} for images of {tuple(case.x.shape)}; "
            f"give {wanted}, above 0.5 inside the object"
        )
    if mask.is_floating_point() and not mask.isfinite().all():
        raise NotFinite("the column 'mask' has NaN or infinite entries; give 1 inside the object and 0 outside")
    return mask > 0.5


def widened(mask: Places, tolerance: int) -> Places:
    """The places that are no further than so many pixels from the mask."""
    height = mask.shape[1]
    padded, found = F.pad(mask.float(), (0, 0, tolerance, tolerance)), mask
    # a disc is a stack of rows; each is a run as wide as the disc is there
    for shift in range(-tolerance, tolerance + 1):
        reach = math.isqrt(tolerance**2 - shift**2)
        rows = padded[:, tolerance + shift :][:, :height]
        found = found | (F.max_pool2d(rows[:, None], (1, 2 * reach + 1), 1, (0, reach))[:, 0] > 0)
    return found


def covered_share(mask: Places) -> Tensor:
    """The share of the image that the mask covers: what a map that knows nothing would come to."""
    return mask.flatten(1).to(torch.float64).mean(1)
