"""A cross-entropy so flat that float32 cannot follow it."""

from pellucid.evaluate.robustness.checks.case import Case
from pellucid.metrics.verdict import Verdict

_FLAT = 1e-10  # of the margin's gradient: the other classes' probabilities together, far below float32's 1e-7
_TOLERATED = 0.1


def saturation(case: Case) -> Verdict:
    """Cross-entropy has a gradient wherever the margin between classes has one."""
    steep, flat = case.gradients
    right = (case.logits.argmax(1) == case.batch.y) & (flat > 0)
    lost = right & (steep < _FLAT * flat)
    if not right.any():
        finding = f"no image is right and has a gradient that could vanish{case.caveat}"
        return Verdict("saturation", True, finding, {}, "")
    share = float(lost.sum() / right.sum())
    top = case.logits.topk(2).values
    gap = float((top[:, 0] - top[:, 1]).median())
    return Verdict(
        "saturation",
        passed=share <= _TOLERATED,
        finding=(
            f"the gradient of the cross-entropy has all but vanished for {share:.0%} of the images that are right "
            f"while that of the margin has not; the median gap between the first two logits is {gap:.3g}{case.caveat}"
        ),
        evidence={"vanished": share, "gap": gap},
        remedy=(
            "the cross-entropy hides the way, however confidence came about: attack a loss that does not depend on "
            "the scale of logits (their margin), or divide the logits by a constant"
        ),
    )
