"""Which calls are activations that signals are held back at: ReLU however it is written, and those like it."""

from typing import Any

from pellucid.explainers.propagation.calls import Call
from pellucid.explainers.propagation.names import LIKE_RELU, PIECING
from pellucid.explainers.propagation.signs import is_zero


def is_rectifier(call: Call) -> bool:
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


def is_like_rectifier(call: Call) -> bool:
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
