"""What every segmentation is: a frozen value that divides images into the parts that LIME hides and shows."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Segmentation(ABC):
    """A way to divide images into segments. Final classes are frozen dataclasses listed in `SEGMENTATIONS`."""

    registry: ClassVar[str] = "pellucid.explainers.lime:SEGMENTATIONS"

    @property
    def shared(self) -> bool:
        """Whether a segment is the same place in every image of a size."""
        return False

    @property
    def single(self) -> bool:
        """Whether every segment is a single pixel, whose mean color would be its own."""
        return False

    def resolved(self, shape: Sequence[int]) -> "Segmentation":
        """The same one with numbers for what is "auto", as it divides images of this shape; of most, itself."""
        return self

    @abstractmethod
    def __call__(self, images: Float[Tensor, "b c h w"]) -> Int[Tensor, "b h w"]:
        """The segment of every pixel, counted from 0 in each image with none left out; the same at every call."""


def one_by_one(images: Float[Tensor, "b c h w"], segment: Callable[[Any], Any]) -> Int[Tensor, "b h w"]:
    """The segments of each picture [h w c], as an array tells them that is made on a CPU."""
    pictures = images.detach().permute(0, 2, 3, 1).double().cpu().numpy()
    found = [torch.from_numpy(segment(picture)).long() for picture in pictures]
    # numbered without gaps, whatever was merged on the way
    return torch.stack([labels.unique(return_inverse=True)[1] for labels in found]).to(images.device)
