"""Gradients that are held back at activations: guided backprop and deconvnet."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal, TypeAlias

import torch
from torch import Tensor

from pellucid.errors import count_of
from pellucid.explainers.explainer import Classes, Explainer, Images, summed
from pellucid.explainers.explanation import Remark
from pellucid.explainers.propagation.calls import Back, Call, Signals
from pellucid.explainers.propagation.names import ACTIVATIONS, LIKE_RELU, PIECING
from pellucid.explainers.propagation.tape import is_zero, propagated
from pellucid.explainers.propagation.transposing import as_gradients_do, transposed
from pellucid.probe import Probe

Gate: TypeAlias = Literal["guided", "deconvnet"]

_ROUNDING = 64  # units in the last place of a map's largest value


class Gatekeeper(Explainer):
    """The logit sent back through the network, held back at activations where it is negative."""

    gate: ClassVar[Gate]

    @property
    def legend(self) -> str:
        """Signs are those of what comes back, which is hardly of the class."""
        return "red is above 0, blue below: what excites the network, hardly of one class"

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The signal that arrives at the pixels: one forward and one backward pass."""
        return propagated(probe, of, self._gated(probe), lambda logits: logits.new_ones(()))

    def reach(self, found: Images) -> Tensor:
        """The sum of its magnitudes."""
        return summed(found)

    def reads(self, probe: Probe, of: Classes) -> str:
        """At how many activations signals are held back."""
        self.maps(probe, of, len(of))
        return self._gated(probe).words

    def remarks(self, probe: Probe, of: Classes, found: Images) -> Sequence[Remark]:
        """What has to be known of a map: that it is the plain gradient, which takes one more backward pass to see."""
        return self._gated(probe).remarks(probe, of, found)

    def _gated(self, probe: Probe) -> "_Gated":
        return probe.shared((self.gate,), lambda: _Gated(self.gate))


class _Gated:
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
        exact, alike = _is_rectifier(call), _is_like_rectifier(call)
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

    @property
    def words(self) -> str:
        """At how many ReLUs signals were held back, and at which other activations."""
        found = count_of(self.rectifiers, "ReLU")
        return f"{found}, and {_listed(self.alike)}" if self.alike else found

    def remarks(self, probe: Probe, of: Tensor, found: Tensor) -> list[Remark]:
        """What has to be known of a map: that it is the gradient, or that more than ReLU held signals back."""
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
            remarks.append(Remark(f"the method was made for ReLU; signals were held back at {names} as well", ~same))
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


def _is_rectifier(call: Call) -> bool:
    """Whether a call gives 0 for negative numbers and leaves the others, up to a ceiling if there is one."""
    if len(call.inputs) != 1:
        return False
    match call.name:
        case "relu" | "relu6":
            return True
        case "clamp" | "clip" | "clamp_min":
            return _from_zero(call.argument(1, "min"), call.argument(2, "max"))
        case "hardtanh":
            return _from_zero(call.argument(1, "min_val", -1.0), call.argument(2, "max_val", 1.0))
        case "threshold":
            return is_zero(call.argument(1, "threshold")) and is_zero(call.argument(2, "value"))
        case "maximum" | "fmax" | "max":
            one, other = call.argument(0, "input"), call.argument(1, "other")
            return is_zero(other) if one in call else is_zero(one) and other in call
        case "where":
            return _is_choice(call)
        case "masked_fill" | "setitem":
            return call.signs.get(id(call.argument(1, "mask"))) is False and is_zero(call.argument(2, "value"))
        case "mul" | "rmul" | "multiply":
            return any(call.signs.get(id(factor)) is True for factor in call.args)
        case _:
            return False


def _is_like_rectifier(call: Call) -> bool:
    """Whether a call is another activation of the kind, or the last one of an activation that is put together."""
    pieced = call.name in PIECING and len(call.inputs) > 1 and call.origin is not None
    return pieced or (call.name in LIKE_RELU and len(call.inputs) == 1)


def _from_zero(low: Any, high: Any) -> bool:
    return low is not None and is_zero(low) and not is_zero(high)


def _is_choice(call: Call) -> bool:
    """`torch.where(x > 0, x, 0)`, or the method, whose condition comes second."""
    condition, first, second = call.argument(0, "condition"), call.argument(1, "input"), call.argument(2, "other")
    if condition in call:
        condition, first = first, condition
    above = call.signs.get(id(condition))
    passed, held = (first, second) if above else (second, first)
    return above is not None and passed in call and is_zero(held)
