"""Normalizations whose third derivatives are right.

PyTorch's second derivatives of batch norm over the batch's own statistics, of instance norm and of layer norm take
the statistics for constants when they are differentiated once more: third derivatives are wrong, and nothing says so
(https://github.com/pytorch/pytorch/issues/186256 and 175754). Composed of steps that autograd knows, they are right.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.autograd.batch_norm import batch_norm as fast_batch_norm
from pellucid.autograd.engine import replaceable


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
    """Batch normalization with the results of PyTorch's own, which can be differentiated three times."""
    covered = input.dim() == 4 and replaceable(input, running_mean, running_var, weight, bias)
    if covered or not training or not torch.is_grad_enabled():
        return fast_batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    with torch.no_grad():  # moves the running averages, or refuses the input in PyTorch's own words
        F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    return _channelwise(input, [0, *range(2, input.dim())], weight, bias, eps)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Instance normalization that can be differentiated three times, with the results of PyTorch's own."""
    if not use_input_stats or not torch.is_grad_enabled():
        return F.instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)
    with torch.no_grad():
        F.instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)
    return _channelwise(input, list(range(2, input.dim())), weight, bias, eps)


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Layer normalization that can be differentiated three times, with the results of PyTorch's own."""
    if not torch.is_grad_enabled():
        return F.layer_norm(input, list(normalized_shape), weight, bias, eps)
    normal = _standardized(input, list(range(-len(normalized_shape), 0)), eps)
    if weight is not None:
        normal = normal * weight
    return (normal if bias is None else normal + bias).to(input.dtype)


def _channelwise(input: Tensor, axes: list[int], weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    normal, column = _standardized(input, axes, eps), (-1, *[1] * (input.dim() - 2))
    if weight is not None:
        normal = normal * weight.view(column)
    return (normal if bias is None else normal + bias.view(column)).to(input.dtype)


def _standardized(input: Tensor, axes: list[int], eps: float) -> Tensor:
    # as PyTorch's kernels, which reckon the statistics of 16-bit numbers in 32 bits
    numbers = input.float() if input.dtype in (torch.bfloat16, torch.float16) else input
    variance, mean = torch.var_mean(numbers, axes, correction=0, keepdim=True)
    return (numbers - mean) * (variance + eps).rsqrt()
