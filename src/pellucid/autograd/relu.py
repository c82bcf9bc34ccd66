"""ReLU, whose second derivative for its input is nothing, where PyTorch makes an image of zeros and adds it."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function

from pellucid.autograd.engine import differentiable, replaceable

Numbers = Float[Tensor, "*shape"]


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """What `torch.nn.functional.relu` returns, with a fast second derivative where it can have one."""
    if inplace or not replaceable(input):
        return F.relu(input, inplace)
    return differentiable(ReLU, input)


class ReLU(Function):
    """The positive part of each entry, whose gradient can be differentiated again."""

    @staticmethod
    def forward(x: Numbers) -> Numbers:
        """The positive part of each entry, by PyTorch's own kernel."""
        return torch.relu(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep the output, which the next layer keeps too."""
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """The gradient where the output is positive."""
        (y,) = ctx.saved_tensors
        return differentiable(ReLUGradient, gradients[0], y.detach())


class ReLUGradient(Function):
    """A gradient, and zero where y is zero; linear in the gradient and constant between the corners of y."""

    @staticmethod
    def forward(g: Numbers, y: Numbers) -> Numbers:
        """The gradient of ReLU, by PyTorch's own backward kernel."""
        return torch.ops.aten.threshold_backward(g, y, 0)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep the output of the ReLU."""
        ctx.save_for_backward(inputs[1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The same for the cotangent."""
        (y,) = ctx.saved_tensors
        return differentiable(ReLUGradient, gradients[0], y), None
