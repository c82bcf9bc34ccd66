"""A loss that steps along its gradient do not raise."""

import itertools

import torch
import torch.nn.functional as F

from pellucid.attacks.pgd import inside
from pellucid.evaluate.robustness.checks.case import Case
from pellucid.metrics.verdict import Verdict

_STEPS = 10
_EXPECTED = 0.9
_FLAT = "steps along the gradient change no loss: see the check of gradients, and attack without them (Square)"
_ROUGH = (
    "the gradient does not point uphill, or bends within a step: look for rounding, randomness or custom gradients, "
    "and attack with smaller steps, random starts and without gradients"
)


def rising_loss(case: Case) -> Verdict:
    """The cross-entropy rises along the steps of a short PGD from the images themselves."""
    losses = _path(case)
    means = losses.mean(1).tolist()
    lying = float((losses[0] == losses).all(0).double().mean())
    risen = float((losses[-1] > losses[0]).double().mean())
    falls = sum(after < before for before, after in itertools.pairwise(means))
    return Verdict(
        "rising-loss",
        passed=risen >= _EXPECTED and falls <= _STEPS // 2,
        finding=(
            f"{_STEPS} steps of PGD raise the loss of {risen:.0%} of the images, "
            f"on average from {means[0]:.3g} to {means[-1]:.3g}; it fell in {falls} of the steps{case.caveat}"
        ),
        evidence={"risen": risen, "unmoved": lying, "first": means[0], "last": means[-1], "falls": falls},
        remedy=_FLAT if lying > 0.5 else _ROUGH,
    )


def _path(case: Case) -> torch.Tensor:
    """Each image's loss (a column) after each step (a row)."""
    origin, y, norm = case.batch.x, case.batch.y, case.attack.norm
    x, losses = origin, list[torch.Tensor]()
    for _ in range(_STEPS):
        logits, gradient = case.ascent(x, lambda logits, y: F.cross_entropy(logits, y, reduction="none"))
        losses.append(logits)
        x = inside(origin, x + 2.5 / _STEPS * case.eps * norm.steepest(gradient), norm, case.eps)
    losses.append(case.answers(x))
    # in float64, since in float32 the loss of a sure network is 0 before and after
    return torch.stack([F.cross_entropy(logits.double(), y, reduction="none") for logits in losses])
