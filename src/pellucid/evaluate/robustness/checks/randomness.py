"""Answers that change from pass to pass."""

from pellucid.evaluate.robustness.checks.case import Case
from pellucid.metrics.verdict import Verdict

_ROUNDING = 1e-5  # of the logits' scale; accelerators may add in another order


def randomness(case: Case) -> Verdict:
    """The same images get the same answers twice in evaluation mode."""
    again = case.answers(case.batch.x)
    change = float((again - case.logits).abs().amax())
    flipped = float((again.argmax(1) != case.logits.argmax(1)).double().mean())
    passed = change <= _ROUNDING * case.scale
    return Verdict(
        "randomness",
        passed,
        finding=(
            "two passes over the same images give the same answers"
            if passed
            else f"two passes over the same images differ by up to {change:.3g} in evaluation mode, "
            f"and {flipped:.0%} of the decisions"
        ),
        evidence={"change": change, "flipped": flipped},
        remedy=(
            "a random network needs attacks on its expectation: average the logits over draws inside the model, "
            "or switch the randomness off in evaluation mode"
        ),
    )
