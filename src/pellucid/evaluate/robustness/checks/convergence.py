"""Points taken for the nearest that a longer search beats."""

import math

import torch

from pellucid.attacks import FMN
from pellucid.errors import count_of
from pellucid.evaluate.robustness.checks.case import Case
from pellucid.metrics import area
from pellucid.metrics.verdict import Verdict
from pellucid.norms import L0, L1, L2, RMS, Linf

_TOLERATED = 0.1
_TIMES, _LEAST, _MOST = 4, 200, 400


def convergence(case: Case) -> Verdict | None:
    """The area hardly falls when a finer search for the nearest point goes on for longer."""
    if not case.attack.nearest or not isinstance(case.attack.norm, L0 | L1 | L2 | RMS | Linf):
        return None
    own = case.attacked.distance.double().where(case.attacked.reached, math.inf)
    taken = int(case.attacked.backwards.max())
    steps = min(max(_LEAST, _TIMES * taken), max(_MOST, taken))
    finer = FMN(steps=steps, step=0.5, norm=case.attack.norm, goal=case.attack.goal)
    found = case.attacked_by(finer, case.batch)
    best = torch.minimum(own, found.distance.double().where(found.reached, math.inf))
    remedy = (
        "distances and areas are too large: give the search more steps (--set steps=..., in an audit "
        "--set robustness.nearest_steps=...), or take the nearest of several (--attack fmn,ddn)"
    )
    if not best.isfinite().any():
        return Verdict(
            "convergence",
            passed=False,
            finding=f"neither the attack nor {steps} steps of FMN find a failure of any of "
            f"{count_of(case.size, 'image')}",
            evidence={"images": case.size, "steps": steps},
            remedy="no network withstands any change: see to the other failed checks first",
        )
    # what the attack never reached stands at least as far as anything that either search found
    farthest = torch.cat([own, best])
    before, after = (_area(distance, farthest, case) for distance in (own, best))
    fall = 1 - after / before if before > 0 else 0.0
    return Verdict(
        "convergence",
        passed=fall <= _TOLERATED,
        finding=(
            f"the area over {count_of(case.size, 'image')} is {before:.4g}, and {after:.4g} where {steps} smaller "
            "steps of FMN "
            f"go on looking: {fall:.0%} less"
        ),
        evidence={"images": case.size, "steps": steps, "area": before, "longer": after, "fall": fall},
        remedy=f"{remedy}; {case.attack.absolute}" if case.attack.absolute else remedy,
    )


def _area(distance: torch.Tensor, farthest: torch.Tensor, case: Case) -> float:
    bound = farthest[farthest.isfinite()].max()
    return area(distance.clamp_max(bound), classes=case.logits.shape[1]).value
