"""The Accuracy-Robustness Area of Woods et al. (2019): how much accuracy survives how far."""

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import MeasurementError, ShapeError, count_of
from pellucid.metrics.estimates import Estimate


def area(distance: Float[Tensor, " n"], *, classes: int, seed: int = 0) -> Estimate:
    """The area between the curve of accuracy over distance and chance.

    `distance` is how far each image's nearest failure lies: 0 where it fails as it is, infinite where none was found.
    The latter stand up to the largest distance that was found for any image.
    """
    if classes < 2:
        raise ShapeError(f"an area over {count_of(classes, 'class')} has no chance level; there must be two or more")
    found = distance[distance.isfinite()]
    if not len(found):
        raise MeasurementError(
            f"no failure was found for any of {count_of(len(distance), 'image')}; an area would be endless"
        )
    return Estimate.resampled(lambda rows: exact(rows, classes), distance.clamp_max(found.max()), seed=seed)


def exact(distance: Float[Tensor, "*draws n"], classes: int) -> Float[Tensor, "*draws"]:
    """The integral itself, of a step function: from each distance to the next, those farther away still stand."""
    ascending = distance.sort(-1).values
    gaps = ascending.diff(dim=-1, prepend=torch.zeros_like(ascending[..., :1]))
    n = distance.shape[-1]
    standing = torch.arange(n, 0, -1, dtype=distance.dtype, device=distance.device) / n
    return (gaps * (standing - 1 / classes).clamp_min(0)).sum(-1)
