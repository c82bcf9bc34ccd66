"""Sums over the images of all processes that train together, as parts of the loss.

Every term of a loss is a function of sums over the global batch. With the sums taken here, each process holds the
same loss, and two processes with half of the batch each take the same step as one process with the whole of it.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, distributed


def count() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if _together() else 1


def total(values: Float[Tensor, " b"]) -> Float[Tensor, ""]:
    """The sum over the images of all processes; gradients flow back through it."""
    return _Total.apply(values.sum()) if _together() else values.sum()


def mean(values: Float[Tensor, " b"]) -> Float[Tensor, ""]:
    """The mean over the images of all processes, which may hold unequal shares."""
    return total(values) / images(values)


def added(values: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """The sum of a tensor over all processes, entry by entry, as a constant."""
    summed = values.detach().clone()
    if _together():
        distributed.all_reduce(summed)
    return summed


def images(values: Tensor) -> int | Float[Tensor, ""]:
    """How many images all processes hold together in this batch."""
    if not _together():
        return len(values)
    number = torch.tensor(float(len(values)), device=values.device)
    distributed.all_reduce(number)
    return number


def _together() -> bool:
    return distributed.is_available() and distributed.is_initialized()


class _Total(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        summed = value.clone()
        distributed.all_reduce(summed)
        return summed

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:
        # Every process differentiates the same loss, and afterwards parameter gradients are averaged over processes:
        # multiplied by their number, the average is the gradient of that one loss.
        return grad_outputs[0] * count()
