"""Guessing pixels that were taken away from those around them."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

_TOLERANCE = 1e-9
_MOST = 10_000


def impute(x: Float[Tensor, "b c h w"], gone: Bool[Tensor, "b h w"]) -> Float[Tensor, "b c h w"]:
    """Images in which every pixel that is gone is the weighted mean of its neighbors, also of those that are gone.

    Neighbors at a side weigh twice as much as those at a corner; beyond the edge there are none (Rong et al. 2022).
    That is a linear system for each image, symmetric and positive wherever one pixel is left, so it is solved by
    conjugate gradients: all images together, on the device where they are, and without a matrix.
    """
    lost, seen = gone[:, None].double(), (~gone)[:, None] * x.double()
    weights = _neighbors(torch.ones_like(lost))

    def apply(values: Tensor) -> Tensor:
        return lost * (weights * values - _neighbors(values))

    residual = lost * _neighbors(seen)
    found, direction = torch.zeros_like(residual), residual
    left = enough = _squares(residual)
    enough = enough * _TOLERANCE**2
    for _ in range(_MOST):
        if bool((left <= enough).all()):
            break
        image = apply(direction)
        # where nothing is left to do the direction is zero
        length = left / _squares(direction, image).clamp_min(_LEAST)
        found, residual = found + length * direction, residual - length * image
        after = _squares(residual)
        direction, left = residual + after / left.clamp_min(_LEAST) * direction, after
    return torch.where(gone[:, None], found, x).to(x.dtype)


_LEAST = torch.finfo(torch.float64).tiny


def _neighbors(values: Tensor) -> Tensor:
    """The weighted sum of each pixel's eight neighbors; those at a side weigh 2, those at a corner 1."""
    return _row(_row(values, 2), 3) - 4 * values


def _row(values: Tensor, axis: int) -> Tensor:
    """Twice each value and those before and after it."""
    summed = 2 * values
    size = values.shape[axis]
    summed.narrow(axis, 0, size - 1).add_(values.narrow(axis, 1, size - 1))
    summed.narrow(axis, 1, size - 1).add_(values.narrow(axis, 0, size - 1))
    return summed


def _squares(one: Tensor, other: Tensor | None = None) -> Float[Tensor, "b c 1 1"]:
    return (one * (one if other is None else other)).sum((2, 3), keepdim=True)
