"""Gradients that are held back at activations: guided backprop and deconvnet."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.explain.propagation.calls import Call
from pellucid.explain.propagation.names import PIECING, RECTIFIERS
from pellucid.explain.propagation.tape import Back, Signals, Tape, Treatment
from pellucid.explain.propagation.transposing import as_gradients_do, transposed
from pellucid.probe import Probe

Logits = Float[Tensor, "b classes"]
Gate: TypeAlias = Literal["guided", "deconvnet"]


def propagated(
    probe: Probe, of: Tensor, treatment: Treatment, weight: Callable[[Logits], Logits]
) -> Float[Tensor, "b *shape"]:
    """What arrives at the pixels of a signal at the logit of each image's class; `weight` says how strong it is."""
    tape = Tape(probe.x, treatment)
    inside = probe.on(probe.batch, under=lambda: tape)
    logits = inside.logits
    with torch.set_grad_enabled(probe.second_order):
        signal = torch.zeros_like(logits).scatter(1, of[:, None], 1.0) * weight(logits)
        return tape.back(logits, signal)


def gated(gate: Gate) -> Treatment:
    """Signals pass activations where they are positive: times the slope, or whatever it is; all else as gradients."""

    def treatment(call: Call) -> Back:
        origin = call.origin
        if not rectifies(call) or origin is None:
            return lambda arrived: as_gradients_do(call, arrived)

        def back(arrived: Signals) -> Signals:
            ((output, signal),) = arrived.items()
            positive = signal.clamp(min=0)
            if gate == "deconvnet":
                return {origin: positive}
            (found,) = transposed([output], [origin], [positive])
            return {} if found is None else {origin: found}

        return back

    return treatment


def rectifies(call: Call) -> bool:
    """Whether a call is an activation like ReLU, or the last one of an activation that is put together."""
    if call.name in ("clamp", "clamp_min"):
        low, high = call.argument(1, "min"), call.argument(2, "max")
        return call.numbers_only and low == 0 and high is None
    return call.name in RECTIFIERS or (call.name in PIECING and len(call.inputs) > 1 and call.origin is not None)
