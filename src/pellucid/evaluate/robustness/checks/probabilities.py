"""Probabilities where logits are meant."""

import torch
from torch import Tensor

from pellucid.evaluate.robustness.checks.case import Case
from pellucid.metrics.verdict import Verdict

_ROUNDING = 1e-3
_SURE = 0.8


def probabilities(case: Case) -> Verdict:
    """The network returns logits, with no softmax on top of them."""
    logits = case.logits.double()
    lowest, highest = float(logits.min()), float(logits.max())
    off = float((logits.sum(1) - 1).abs().amax())
    normalized = float(logits.logsumexp(1).abs().amax())
    are = lowest >= 0 and off <= _ROUNDING
    if are:
        finding = (
            f"outputs are not negative and sum to 1 within {off:.1e}: they are probabilities, as a softmax gives"
        )
        finding += "; what goes into it are probabilities too, as if there were two" if _twice(logits) else ""
    elif highest <= 0 and normalized <= _ROUNDING:
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


def _twice(outputs: Tensor) -> bool:
    """Whether outputs are a softmax of probabilities, as logits of one softmax hardly ever look.

    A softmax leaves the logits' common constant open. With the one that makes them sum to 1 none may be negative, and
    the largest must be near 1 for most images: outputs that are all alike would say nothing.
    """
    inside = outputs.clamp_min(torch.finfo(outputs.dtype).tiny).log()
    inside = inside + (1 - inside.sum(1, keepdim=True)) / inside.shape[1]
    sure = float((inside.amax(1) >= _SURE).double().mean())
    return bool((inside >= -_ROUNDING).all()) and sure > 0.5
