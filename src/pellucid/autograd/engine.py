"""What autograd's engine knows and Python functions need: which gradients are asked for, and who else is watching."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function


def asked_for(ctx: Any, position: int) -> bool:
    """Whether this backward pass will use the gradient of the tensor argument at `position`.

    `ctx.needs_input_grad` says which gradients could ever be wanted. Taken for an answer, it would have the weights'
    gradients computed whenever the images' are asked for: a third of a training step, thrown away.
    """
    if not ctx.needs_input_grad[position]:
        return False
    node, _ = ctx.next_functions[position]
    try:
        return torch._C._will_engine_execute_node(node)  # pyright: ignore
    except RuntimeError:  # the engine does not answer for a leaf that `torch.autograd.grad` was asked about
        return True


def differentiable(function: type[Function], *arguments: Any) -> Any:
    """The function applied; under a batched or functional transform, its PyTorch operation with PyTorch's derivative.

    The graph of a Python function is lost in `torch.autograd.grad(..., is_grads_batched=True)`.
    """
    tensors = [argument for argument in arguments if isinstance(argument, Tensor)]
    batched = any(map(torch._C._functorch.is_legacy_batchedtensor, tensors))  # pyright: ignore
    return function.forward(*arguments) if batched or _functional() else function.apply(*arguments)


def replaceable(*tensors: Tensor | None) -> bool:
    """Whether an operation on these tensors can be exchanged for one with a faster second derivative."""
    present = [tensor for tensor in tensors if tensor is not None]
    return (
        torch.is_grad_enabled()
        and {type(tensor) for tensor in present} <= {Tensor, nn.Parameter}
        and {(tensor.device.type, tensor.layout) for tensor in present} == {("cpu", torch.strided)}
        and {tensor.dtype for tensor in present} in ({torch.float32}, {torch.float64})
        and all(tensor.numel() > 0 for tensor in present)
        and not torch.is_autocast_enabled("cpu")
        and not _functional()
        # such as checkpointing's, which recomputes elsewhere and must then meet the same saved tensors
        and torch._C._autograd._top_saved_tensors_default_hooks(True) is None  # pyright: ignore
    )


def _functional() -> bool:
    return torch._C._are_functorch_transforms_active()  # pyright: ignore
