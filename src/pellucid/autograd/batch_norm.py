"""Batch normalization over the batch's own statistics, with a second derivative of a few passes over the images.

With x̂ = (x - mean) s and P g = g - mean(g) - x̂ mean(g x̂), the gradient for x is weight s P g. P is symmetric, so the
derivative for g is the same kernel applied to the cotangent v. With a = mean(g x̂), b = mean(v x̂) and
c = mean(v g) - mean(v) mean(g), the derivative for x is

    -weight s² (x̂ (c - 3ab) + b (g - mean(g)) + a (v - mean(v))),

a sum of three images scaled per channel, and that for the weight n s (c - ab) where n numbers are averaged.
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function

from pellucid.autograd.engine import differentiable, replaceable

Images = Float[Tensor, "b c h w"]
Channels = Float[Tensor, " c"]


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """What `torch.nn.functional.batch_norm` returns, with a fast second derivative where it can have one."""
    if (
        not training
        or input.dim() != 4
        or input.numel() <= input.shape[1]  # refused by PyTorch in its own words
        or not replaceable(input, running_mean, running_var, weight, bias)
    ):
        return F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    return differentiable(BatchNorm, input, weight, bias, running_mean, running_var, momentum, eps)[0]


class BatchNorm(Function):
    """Images normalized per channel, and the statistics that this was done with."""

    @staticmethod
    def forward(
        x: Images,
        weight: Channels | None,
        bias: Channels | None,
        running_mean: Channels | None,
        running_var: Channels | None,
        momentum: float,
        eps: float,
    ) -> tuple[Images, Channels, Channels]:
        """Run the kernel, which also moves the running statistics."""
        return torch.native_batch_norm(x, weight, bias, running_mean, running_var, True, momentum, eps)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        """Keep the images, the weight and the statistics."""
        x, weight, *_, ctx.eps = inputs
        _, mean, s = output
        ctx.mark_non_differentiable(mean, s)
        ctx.save_for_backward(x, weight, mean, s)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients for images, weight and bias."""
        x, weight, mean, s = ctx.saved_tensors
        for_x, for_weight, for_bias = differentiable(BatchNormGradient, gradients[0], x, weight, mean, s, ctx.eps)
        _, weighted, biased, *_ = ctx.needs_input_grad
        return for_x, for_weight if weighted else None, for_bias if biased else None, None, None, None, None


class BatchNormGradient(Function):
    """The gradients for images, weight and bias; mean and s are functions of x here, not arguments."""

    @staticmethod
    def forward(
        g: Images, x: Images, weight: Channels | None, mean: Channels, s: Channels, eps: float
    ) -> tuple[Images, Channels, Channels]:
        """The gradients of batch normalization, by PyTorch's own backward kernel."""
        everything = (True, True, True)
        return torch.ops.aten.native_batch_norm_backward(g, x, weight, None, None, mean, s, True, eps, everything)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        """Keep what came in and the two sums that came out."""
        *tensors, ctx.eps = inputs
        _, for_weight, for_bias = output
        ctx.save_for_backward(*tensors, for_weight, for_bias)
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        """The gradients for g, images and weight, from cotangents of the three gradients."""
        v, for_weight, for_bias = gradients
        g, x, weight, mean, s, g_hat_sum, g_sum = ctx.saved_tensors
        if torch.is_grad_enabled():  # a third derivative is wanted, for which the statistics depend on x
            variance, mean = torch.var_mean(x, (0, 2, 3), correction=0)
            s = (variance + ctx.eps).rsqrt()
        if v is None:
            v = torch.zeros_like(g)
        n = x.numel() // x.shape[1]
        derivative, v_hat_sum, v_sum = differentiable(BatchNormGradient, v, x, weight, mean, s, ctx.eps)
        a, b, g_mean, v_mean = g_hat_sum / n, v_hat_sum / n, g_sum / n, v_sum / n
        c = _covariance(v, g, g_mean)
        scale = s if weight is None else weight * s

        on_x, on_g, on_v = -scale * s * (c - 3 * a * b), -scale * s * b, -scale * s * a
        if for_weight is not None:
            on_x, on_g = on_x - for_weight * s * a, on_g + for_weight * s
            derivative = derivative + _column(for_weight * s) * (x - _column(mean))
        if for_bias is not None:
            derivative = derivative + _column(for_bias)
        constant = -on_x * s * mean - on_g * g_mean - on_v * v_mean
        for_x = torch.addcmul(_column(constant), x, _column(on_x * s))
        for_x.addcmul_(g, _column(on_g)).addcmul_(v, _column(on_v))
        return derivative, for_x, None if weight is None else n * s * (c - a * b), None, None, None


def _covariance(v: Images, g: Images, g_mean: Channels) -> Channels:
    """The mean of v (g - mean(g)) in each channel."""
    n = g.numel() // g.shape[1]
    if torch.is_grad_enabled():
        return (v * (g - _column(g_mean))).sum((0, 2, 3)) / n
    # this sum is what the backward kernel calls the gradient for a weight; it makes no image-sized product
    one, weight_only = torch.ones_like(g_mean), (False, True, False)
    _, total, _ = torch.ops.aten.native_batch_norm_backward(
        v, g, None, None, None, g_mean, one, True, 0.0, weight_only
    )
    return total / n


def _column(channels: Channels) -> Float[Tensor, "c 1 1"]:
    return channels[:, None, None]
