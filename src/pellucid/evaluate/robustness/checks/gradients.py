"""Gradients that are zero, not finite, or not there."""

from pellucid.errors import NoGradients
from pellucid.evaluate.robustness.checks.case import Case
from pellucid.metrics.verdict import Verdict

_TOLERATED = 0.05


def gradients(case: Case) -> Verdict:
    """Nearly every image has a finite input gradient other than zero, of cross-entropy and of margin."""
    remedy = (
        "gradient attacks find nothing here: attack without gradients (Square), attack the margin, or give "
        "non-differentiable layers a stand-in gradient (BPDA)"
    )
    try:
        steep, flat = case.gradients
    except NoGradients as error:
        return Verdict("gradients", False, str(error), {}, remedy)
    evidence: dict[str, float] = {}
    for name, sizes in (("cross-entropy", steep), ("margin", flat)):
        evidence[f"{name}-zero"] = float((sizes == 0).double().mean())
        evidence[f"{name}-not-finite"] = float((~sizes.isfinite()).double().mean())
    return Verdict(
        "gradients",
        passed=max(evidence.values()) <= _TOLERATED,
        finding=(
            f"the input gradient is zero for {evidence['cross-entropy-zero']:.0%} of the images (cross-entropy) and "
            f"{evidence['margin-zero']:.0%} (margin), not finite for {evidence['cross-entropy-not-finite']:.0%} and "
            f"{evidence['margin-not-finite']:.0%}"
        ),
        evidence=evidence,
        remedy=remedy,
    )
