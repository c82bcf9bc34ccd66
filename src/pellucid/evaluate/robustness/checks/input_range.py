"""Pixels outside [0, 1], or squeezed into a corner of it."""

import torch

from pellucid.evaluate.robustness.checks.case import Case
from pellucid.metrics.verdict import Verdict

_TWICE = 1.001 / 255  # white, when it has been divided twice


def input_range(case: Case) -> Verdict:
    """Pixels lie in [0, 1] and fill more than a sliver of it."""
    low, high = (float(bound) for bound in torch.aminmax(case.batch.x))
    inside = low >= 0 and high <= 1  # so that NaN fails too
    filled = high - low > 2 / 255
    finding = f"pixels run from {low:.4g} to {high:.4g}"
    remedy = "give pixels in [0, 1] and normalize inside the model: Normalize(mean, std) as its first layer"
    if not inside:
        finding += "; attacks clip to [0, 1], and budgets are in units of that range"
    elif not filled:
        finding += ", a range no wider than two steps of an 8-bit image"
        remedy = "give pixels that fill [0, 1]"
        if 0 < high <= _TWICE:
            remedy = "were they divided by 255 twice? " + remedy
    return Verdict("input-range", inside and filled, finding, {"low": low, "high": high}, remedy)
