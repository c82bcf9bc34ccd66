"""What a piece of a network would send back, were it linear: its transposed Jacobian times signals."""

from collections.abc import Sequence

import torch
from torch import Tensor

from pellucid.explainers.propagation.calls import Call, Edge, Signals


def transposed(
    outputs: Sequence[Tensor] | Sequence[Edge], inputs: Sequence[Tensor] | Sequence[Edge], signals: Sequence[Tensor]
) -> list[Tensor | None]:
    """The signal at each input. As in PyTorch's backward passes, the result has a graph where gradients are on.

    This differentiates one operation or one activation, never the network.
    """
    found = torch.autograd.grad(
        outputs,
        inputs,  # pyright: ignore[reportArgumentType] - edges are taken for inputs too
        signals,
        retain_graph=True,
        create_graph=torch.is_grad_enabled(),
        allow_unused=True,
    )
    return list(found)


def as_gradients_do(call: Call, arrived: Signals) -> Signals:
    """The signals at a call's inputs, if they are passed on as gradients are."""
    found = transposed(list(arrived), list(call.doors.values()), list(arrived.values()))
    return {edge: signal for edge, signal in zip(call.doors, found, strict=True) if signal is not None}
