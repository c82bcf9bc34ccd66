"""A block in which networks are built of operations with fast second derivatives."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import BackwardCFunction
from torch.overrides import TorchFunctionMode

from pellucid.autograd import third_order
from pellucid.autograd.attention import attended
from pellucid.autograd.batch_norm import batch_norm
from pellucid.autograd.convolution import conv2d
from pellucid.autograd.engine import differentiable, replaceable


class fast_second_order(TorchFunctionMode):  # noqa: N801 - a context manager reads as a verb
    """Forward passes in this block give the same values, and graphs that differentiate twice at a lower price.

    Convolutions and training-mode batch norms of images, and ReLUs, on the CPU are exchanged, and everywhere fused
    attention, which cannot be differentiated twice; whatever else there is stays PyTorch's own. `exchanged` says
    whether any of images was exchanged. With `third_order`, normalizations on any device are exchanged where
    PyTorch's third derivatives are wrong; those may be slower.
    """

    def __init__(self, *, third_order: bool = False) -> None:
        super().__init__()
        self.stand_ins = {**_STAND_INS, **_EXACT} if third_order else _STAND_INS
        self.exchanged = False

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the function or what stands in for it."""
        if torch.compiler.is_compiling() or func not in self.stand_ins:
            return func(*args, **(kwargs or {}))
        output = self.stand_ins[func](*args, **(kwargs or {}))
        if isinstance(output, Tensor):
            self.exchanged |= output.dim() == 4 and isinstance(output.grad_fn, BackwardCFunction)
        return output


_Numbers = Float[Tensor, "*shape"]


def _relu(input: Tensor, inplace: bool = False) -> Tensor:
    """What `torch.nn.functional.relu` returns, with a fast second derivative where it can have one."""
    if inplace or not replaceable(input):
        return F.relu(input, inplace)
    return differentiable(ReLU, input)


class ReLU(Function):
    """The positive part of each entry, whose gradient can be differentiated again."""

    @staticmethod
    def forward(x: _Numbers) -> _Numbers:
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
    def forward(g: _Numbers, y: _Numbers) -> _Numbers:
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


def _by_heads(*args: Any, need_weights: bool = True, **kwargs: Any) -> tuple[Tensor, Tensor | None]:
    """What `multi_head_attention_forward` returns; asked for its weights, it does not fuse."""
    found, weights = F.multi_head_attention_forward(*args, need_weights=True, **kwargs)
    return found, weights if need_weights else None


_STAND_INS: Mapping[object, Callable[..., Any]] = {
    torch.conv2d: conv2d,
    F.batch_norm: batch_norm,
    F.relu: _relu,
    torch.relu: _relu,
    torch.Tensor.relu: _relu,
    F.scaled_dot_product_attention: attended,
    F.multi_head_attention_forward: _by_heads,
}

_EXACT: Mapping[object, Callable[..., Any]] = {
    F.batch_norm: third_order.batch_norm,
    F.instance_norm: third_order.instance_norm,
    F.layer_norm: third_order.layer_norm,
}
