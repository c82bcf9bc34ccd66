"""A network that sees its input in steps."""

import torch

from pellucid.evaluate.robustness.checks.case import Case
from pellucid.metrics.verdict import Verdict
from pellucid.norms import Linf

_SMALL = 0.01 / 255  # far from any step that images of 8 bits are likely to lie near
_LARGE = 16 / 255
_TOLERATED = 0.5


def quantized_input(case: Case) -> Verdict:
    """Changes far below 1/255 change the logits, as larger ones do."""
    small, large = (_unchanged(case, length) for length in (_SMALL, _LARGE))
    # a network that ignores its input altogether is not this check's business
    stepped = small > _TOLERATED and large <= _TOLERATED
    return Verdict(
        "quantized-input",
        passed=not stepped,
        finding=(
            f"a change of every pixel by up to 0.01/255 leaves {small:.0%} of the images with exactly the same "
            f"logits, one by up to 16/255 {large:.0%}"
        ),
        evidence={"small": small, "large": large},
        remedy=(
            "the loss is a staircase, whose true gradient is zero: attack without gradients (Square), or let "
            "gradients pass through the rounding (BPDA)"
        ),
    )


def _unchanged(case: Case, length: float) -> float:
    x = case.batch.x
    noise = case.noise.stream("quantised-input")
    moved = (x + Linf().random(x, length, noise)).clamp(0, 1)
    return float((case.answers(moved) == case.logits).all(1).double().mean()) if torch.any(moved != x) else 0.0
