"""Which figures a check bears on: if it fails, they are not to be relied on."""

from collections.abc import Mapping, Sequence

_ATTACKED = ("robust_accuracy", "area")
_ONLY: Mapping[str, Sequence[str]] = {
    "probabilities": (*_ATTACKED, "loss", "calibration_error"),
    **dict.fromkeys(("gradients", "saturation", "quantized-input", "rising-loss", "absurd-budget"), _ATTACKED),
    **dict.fromkeys(("returned-points", "stronger-attack"), _ATTACKED),
    "convergence": ("area(attack)",),
    "convergence-below-chance": ("area(below_chance)",),
}


def bears_on(check: str, name: str, arguments: Sequence[str] = ()) -> bool:
    """Whether a failed check is about a figure.

    Checks of the network and its images, such as that it answers twice alike, are about every figure, and so is one
    that is not known here.
    """
    return check not in _ONLY or bool({name, f"{name}({', '.join(arguments)})"} & set(_ONLY[check]))
