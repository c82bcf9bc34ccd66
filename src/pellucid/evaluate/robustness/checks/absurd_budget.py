"""Robustness that survives a budget that makes any image of any other."""

import torch

from pellucid.attacks import PGD
from pellucid.evaluate.robustness.checks.case import Case
from pellucid.metrics.verdict import Verdict

_ATTACK = PGD(eps=1, steps=20, start="here")  # a random start would be lucky where gradients are broken


def absurd_budget(case: Case) -> Verdict:
    """Accuracy falls to chance or lower when every pixel is free to take any value."""
    found = case.attacked_by(_ATTACK, case.batch)
    accuracy = float((~found.reached).double().mean())
    # all images may become the same one, and no more than one class of them is then right
    possible = float(torch.bincount(case.batch.y).max()) / case.size
    return Verdict(
        "absurd-budget",
        passed=accuracy <= possible,
        finding=(
            f"with eps=1 (every pixel free) PGD leaves {accuracy:.1%} of the images standing; "
            f"no network can keep more than {possible:.1%}{case.caveat}"
        ),
        evidence={"accuracy": accuracy, "possible": possible},
        remedy="the attack fails, not the network holds: see the checks of gradients and loss, or use Square",
    )
