"""Probabilities where logits are meant."""

import math

from pellucid.evaluate.checks.case import Case
from pellucid.evaluate.checks.verdict import Verdict

_ROUNDING = 1e-3


def probabilities(case: Case) -> Verdict:
    """The network returns logits, with no softmax on top of them."""
    logits = case.logits.double()
    lowest, highest = float(logits.min()), float(logits.max())
    off = float((logits.sum(1) - 1).abs().amax())
    normalised = float(logits.logsumexp(1).abs().amax())
    are = lowest >= 0 and off <= _ROUNDING
    # softmax of numbers between 0 and 1 cannot get above this
    twice = are and highest <= math.e / (math.e + logits.shape[1] - 1) * (1 + _ROUNDING)
    if are:
        finding = f"outputs are not negative and sum to 1 within {off:.1e}: a softmax is part of the network"
        finding += f"; none is above {highest:.3g}, so there may be two" if twice else ""
    elif highest <= 0 and normalised <= _ROUNDING:
        finding = "outputs are log-probabilities, which serve as logits"
    else:
        finding = f"outputs run from {lowest:.3g} to {highest:.3g} and are no probabilities"
    return Verdict(
        "probabilities",
        passed=not are,
        finding=finding,
        evidence={"lowest": lowest, "highest": highest, "off": off},
        remedy="return the numbers before the softmax: on top of it the cross-entropy is bounded and its slope fades",
    )
