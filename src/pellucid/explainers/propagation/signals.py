"""Gradients that are held back at activations: guided backprop and deconvnet."""

from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.explainers.explanation import Remark
from pellucid.explainers.propagation.calls import Call
from pellucid.explainers.propagation.names import ACTIVATIONS, PIECING
from pellucid.explainers.propagation.rectifiers import is_like_rectifier, is_rectifier
from pellucid.explainers.propagation.tape import Back, Signals, Tape, Treatment
from pellucid.explainers.propagation.transposing import as_gradients_do, transposed
from pellucid.probe import Probe

Logits = Float[Tensor, "b classes"]
Gate: TypeAlias = Literal["guided", "deconvnet"]

_ROUNDING = 64  # units in the last place of a map's largest value


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


class Gated:
    """Signals pass activations where they are positive: times the slope, or whatever it is; all else as gradients.

    It remembers which functions signals met on their way: those that held back what was negative, though they are not
    ReLU, and other activations.
    """

    def __init__(self, gate: Gate) -> None:
        self.rectifiers = 0
        self.alike = set[str]()
        self.others = set[str]()
        self._gate = gate

    def __call__(self, call: Call) -> Back:
        """The way back over one call."""
        if call.low is not None:  # what is done to pixels before any weight is no activation
            return lambda arrived: as_gradients_do(call, arrived)
        exact, alike = is_rectifier(call), is_like_rectifier(call)
        if not exact and not alike:
            return self._as_gradients_do(call)
        # a function that is put together counts as one, from the tensor that all of it is made of
        edge = next(iter(call.inputs)) if len(call.inputs) == 1 else call.origin
        assert edge is not None

        def back(arrived: Signals) -> Signals:
            ((output, signal),) = arrived.items()
            self.rectifiers += exact
            self.alike |= set() if exact else {call.name}
            positive = signal.clamp(min=0)
            if self._gate == "deconvnet":
                return {edge: positive.sum_to_size(call.shape)}
            (found,) = transposed([output], [edge], [positive])
            return {} if found is None else {edge: found}

        return back

    def remarks(self, probe: Probe, of: Tensor, found: Tensor) -> list[Remark]:
        """Whether the maps are anything but the gradient, and at what else than ReLU signals were held back."""
        plain = probe.gradient(of, detached=True).flatten(1)
        far = (found.flatten(1) - plain).abs().amax(1)
        same = far <= _ROUNDING * torch.finfo(plain.dtype).eps * plain.abs().amax(1)
        every = torch.ones_like(same)
        remarks: list[Remark] = []
        if not self.rectifiers and not self.alike:
            text = "the map is the plain gradient: no ReLU, or activation like it, was found to hold signals back at"
            remarks.append(Remark(text, same))
        else:
            remarks.append(Remark("the map is the plain gradient: the method held no signal back", same))
        if self.alike:
            names = _listed("one put together" if name in PIECING else name for name in self.alike)
            remarks.append(Remark(f"the method was made for ReLU; signals were held back at {names} as well", every))
        if self.others:
            text = f"signals passed {_listed(self.others)} as gradients do; the method holds back at ReLU"
            remarks.append(Remark(text, every))
        return remarks

    def _as_gradients_do(self, call: Call) -> Back:
        def back(arrived: Signals) -> Signals:
            if call.name in ACTIVATIONS:
                self.others.add(call.name)
            return as_gradients_do(call, arrived)

        return back


def _listed(names: Iterable[str]) -> str:
    *most, last = sorted(set(names))
    return f"{', '.join(most)} and {last}" if most else last
