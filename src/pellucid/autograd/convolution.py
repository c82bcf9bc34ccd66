"""Convolution whose every derivative is a convolution's first derivative.

The inner product <convolution(x, weight), g> is linear in each of x, weight and g. Its partial gradients are the
three operations below, and the derivatives of each are the other two: at any order, only the kernels of an ordinary
training step run. PyTorch takes a weight's second derivative by a forward convolution with a kernel as large as the
image instead.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function

from pellucid.autograd.engine import asked_for, differentiable, replaceable

Images = Float[Tensor, "b c h w"]
Maps = Float[Tensor, "b out rows columns"]
Kernel = Float[Tensor, "out inputs height width"]


class Geometry(NamedTuple):
    """How a kernel moves over an image."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """What `torch.conv2d` returns, with a fast second derivative where it can have one."""
    if isinstance(padding, str) or input.dim() != 4 or not replaceable(input, weight, bias):
        return torch.conv2d(input, weight, bias, stride, padding, dilation, groups)  # pyright: ignore
    geometry = Geometry(_pair(stride), _pair(padding), _pair(dilation), groups)
    return differentiable(Convolution, input, weight, bias, geometry)


class Convolution(Function):
    """The convolution of images with a kernel."""

    @staticmethod
    def forward(x: Images, weight: Kernel, bias: Tensor | None, geometry: Geometry) -> Maps:
        """Run the convolution's own kernel."""
        stride, padding, dilation, groups = geometry
        return torch.convolution(x, weight, bias, stride, padding, dilation, False, (0, 0), groups)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep the two factors."""
        x, weight, _, ctx.geometry = inputs
        ctx.save_for_backward(x, weight)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient for each factor that one is asked for."""
        (g,) = gradients
        x, weight = ctx.saved_tensors
        for_x = for_weight = for_bias = None
        if asked_for(ctx, 0):
            for_x = differentiable(InputGradient, g, weight, x.detach(), ctx.geometry)
        if asked_for(ctx, 1):
            for_weight = differentiable(WeightGradient, x, g, weight.detach(), ctx.geometry)
        if ctx.needs_input_grad[2]:
            for_bias = g.sum((0, 2, 3))
        return for_x, for_weight, for_bias, None


class InputGradient(Function):
    """The gradient of <convolution(x, weight), g> for x; of x itself only the shape and layout matter."""

    @staticmethod
    def forward(g: Maps, weight: Kernel, x: Images, geometry: Geometry) -> Images:
        """Run the backward kernel for data, or for images of a few channels, where it is slow, two other kernels."""
        if x.shape[1] < 4 and geometry.groups == 1:
            outputs, column = weight.shape[0], weight[0].numel()
            transposed = weight.reshape(outputs, column).t().expand(len(g), column, outputs)
            columns = transposed.bmm(g.reshape(len(g), outputs, -1))
            stride, padding, dilation, _ = geometry
            return F.fold(columns, x.shape[2:], weight.shape[2:], dilation, padding, stride)
        return _backward(g, x, weight, geometry, (True, False, False))[0]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep the two factors."""
        g, weight, _, ctx.geometry = inputs
        ctx.save_for_backward(g, weight)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient for each factor that one is asked for."""
        (v,) = gradients
        g, weight = ctx.saved_tensors
        for_g = for_weight = None
        if asked_for(ctx, 0):
            for_g = differentiable(Convolution, v, weight, None, ctx.geometry)
        if asked_for(ctx, 1):
            for_weight = differentiable(WeightGradient, v, g, weight.detach(), ctx.geometry)
        return for_g, for_weight, None, None


class WeightGradient(Function):
    """The gradient of <convolution(x, weight), g> for the weight; of it only the shape and layout matter."""

    @staticmethod
    def forward(x: Images, g: Maps, weight: Kernel, geometry: Geometry) -> Kernel:
        """Run the backward kernel for weights."""
        return _backward(g, x, weight, geometry, (False, True, False))[1]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep the two factors."""
        x, g, _, ctx.geometry = inputs
        ctx.save_for_backward(x, g)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient for each factor that one is asked for."""
        (v,) = gradients
        x, g = ctx.saved_tensors
        for_x = for_g = None
        if asked_for(ctx, 0):
            for_x = differentiable(InputGradient, g, v, x.detach(), ctx.geometry)
        if asked_for(ctx, 1):
            for_g = differentiable(Convolution, x, v, None, ctx.geometry)
        return for_x, for_g, None, None


def _backward(g: Maps, x: Images, weight: Kernel, geometry: Geometry, mask: Sequence[bool]) -> Any:
    stride, padding, dilation, groups = geometry
    return torch.ops.aten.convolution_backward(
        g, x, weight, None, stride, padding, dilation, False, (0, 0), groups, mask
    )


def _pair(value: int | Sequence[int]) -> tuple[int, ...]:
    return (value, value) if isinstance(value, int) else tuple(value)
