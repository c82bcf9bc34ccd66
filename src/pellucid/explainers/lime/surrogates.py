"""What LIME finds: a linear stand-in for the network around each image, and how well it is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.errors import ShapeError


class TooFewMasks(UserWarning):
    """There are fewer masks than coefficients can be found from."""


@dataclass(frozen=True, eq=False)
class Surrogates:
    """A linear model of each of k classes of each image, with up to d segments.

    Images may differ in how many segments they have (`counts`): what lies beyond is exactly 0. `segments` holds the
    segment of every pixel. Where hiding a segment changes nothing it is `idle`, and its coefficient 0. Standard
    errors are those of least squares: infinite where there are no more masks than coefficients, as `adjusted_r2` is
    minus infinity there; with a selection of features, those given the selection.
    `sample_size` is how many masks of equal weight would be worth the `masks` that were used (Kish).
    """

    coefficients: Float[Tensor, "b k d"]
    standard_errors: Float[Tensor, "b k d"]
    intercepts: Float[Tensor, "b k"]
    r2: Float[Tensor, "b k"]
    adjusted_r2: Float[Tensor, "b k"]
    classes: Int[Tensor, "b k"]
    segments: Int[Tensor, "b h w"]
    counts: Int[Tensor, " b"]
    idle: Bool[Tensor, "b d"]
    masks: Int[Tensor, " b"]
    sample_size: Float[Tensor, " b"]

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def idle_share(self) -> Float[Tensor, " b"]:
        """The share of each image's segments that are idle."""
        return self.idle.double().sum(1) / self.counts

    def map(self, which: int = 0) -> Float[Tensor, "b h w"]:
        """Each pixel's coefficient, for the class in column `which` of `classes`."""
        if not 0 <= which < self.classes.shape[1]:
            raise ShapeError(f"there is no class number {which}; surrogates are of {self.classes.shape[1]}, from 0")
        return self.coefficients[:, which].gather(1, self.segments.flatten(1)).view(self.segments.shape)

    @classmethod
    def joined(cls, parts: "Sequence[Surrogates]") -> "Surrogates":
        """Surrogates of several batches as those of one."""
        if len(parts) == 1:
            return parts[0]
        most = max(part.coefficients.shape[2] for part in parts)

        def wide(tensor: Tensor) -> Tensor:
            return F.pad(tensor, (0, most - tensor.shape[-1]))

        return cls(
            torch.cat([wide(part.coefficients) for part in parts]),
            torch.cat([wide(part.standard_errors) for part in parts]),
            torch.cat([part.intercepts for part in parts]),
            torch.cat([part.r2 for part in parts]),
            torch.cat([part.adjusted_r2 for part in parts]),
            torch.cat([part.classes for part in parts]),
            torch.cat([part.segments for part in parts]),
            torch.cat([part.counts for part in parts]),
            torch.cat([wide(part.idle) for part in parts]),
            torch.cat([part.masks for part in parts]),
            torch.cat([part.sample_size for part in parts]),
        )
