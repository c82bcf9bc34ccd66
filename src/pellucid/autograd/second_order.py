"""A block in which networks are built of operations with fast second derivatives."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch.autograd.function import BackwardCFunction
from torch.overrides import TorchFunctionMode

from pellucid.autograd import third_order
from pellucid.autograd.batch_norm import batch_norm
from pellucid.autograd.convolution import conv2d
from pellucid.autograd.relu import relu

STAND_INS: Mapping[object, Callable[..., Any]] = {
    torch.conv2d: conv2d,
    F.batch_norm: batch_norm,
    F.relu: relu,
    torch.relu: relu,
    torch.Tensor.relu: relu,
}

EXACT: Mapping[object, Callable[..., Any]] = {
    F.batch_norm: third_order.batch_norm,
    F.instance_norm: third_order.instance_norm,
    F.layer_norm: third_order.layer_norm,
}


class fast_second_order(TorchFunctionMode):  # noqa: N801 - a context manager reads as a verb
    """Forward passes in this block give the same values, and graphs that differentiate twice at a lower price.

    Convolutions and training-mode batch norms of images, and ReLUs, on the CPU are exchanged; whatever else there is
    stays PyTorch's own. `exchanged` says whether any of images was exchanged. With `third_order`, normalizations on
    any device are exchanged where PyTorch's third derivatives are wrong; those may be slower.
    """

    def __init__(self, *, third_order: bool = False) -> None:
        super().__init__()
        self.stand_ins = {**STAND_INS, **EXACT} if third_order else STAND_INS
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
        self.exchanged |= output.dim() == 4 and isinstance(output.grad_fn, BackwardCFunction)
        return output
