"""An attack that beats the one behind the figure."""

import math
from dataclasses import dataclass

from torch import Tensor

from pellucid.attacks import PGD, Attack, Goal, RandomPoint, Repeat, Square
from pellucid.attacks.attack import within
from pellucid.batch import Batch
from pellucid.evaluate.robustness.checks.case import Case
from pellucid.metrics.verdict import Verdict
from pellucid.norms import L2, RMS, Linf

_TOLERATED = 0.05
_STEPS = 25
_QUERIES = 50


def stronger_attack(case: Case) -> Verdict:
    """Another loss and a search without gradients break few images that the attack leaves standing."""
    standing = (~case.fallen).nonzero().squeeze(1)
    beaten = {name: _fallen(case, attack, standing) for name, attack in _rivals(case).items()}
    shares = {name: (len(standing) - count) / case.size for name, count in beaten.items()}
    others = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    return Verdict(
        "stronger-attack",
        passed=max(beaten.values()) <= max(1, _TOLERATED * case.size),
        finding=(
            f"the attack leaves {len(standing) / case.size:.1%} of the images standing within {case.eps:.3g}; "
            f"with others on top, {others} are left{case.caveat}"
        ),
        evidence={"eps": case.eps, "attack": len(standing) / case.size, **shares},
        remedy=(
            "report the worst of several attacks, among them one without gradients: more steps and restarts of PGD, "
            "a loss that does not flatten, Square"
        ),
    )


@dataclass(frozen=True)
class _ByMargin(Goal):
    """The same goal, climbed by its margin: no confidence makes that flat."""

    goal: Goal

    def progress(self, logits: Tensor, y: Tensor) -> Tensor:
        """The margin."""
        return self.goal.margin(logits, y)

    def margin(self, logits: Tensor, y: Tensor) -> Tensor:
        """The margin."""
        return self.goal.margin(logits, y)


def _rivals(case: Case) -> dict[str, Attack]:
    goal, norm, eps = case.attack.goal, case.attack.norm, case.eps
    rivals: dict[str, Attack] = {"margin-pgd": PGD(eps, _STEPS, norm=norm, goal=_ByMargin(goal))}
    if case.batch.x.dim() == 4 and isinstance(norm, Linf | L2 | RMS):
        # the root mean square is Euclid's length in other units
        length = eps * math.sqrt(case.batch.x[0].numel()) if isinstance(norm, RMS) else eps
        ruler = L2() if isinstance(norm, RMS) else norm
        rivals["square"] = Square(length, norm=ruler, goal=goal, queries=_QUERIES)
    else:
        rivals["random-points"] = Repeat(RandomPoint(eps, norm=norm, goal=goal), _QUERIES)
    return rivals


def _fallen(case: Case, attack: Attack, standing: Tensor) -> int:
    """How many images another attack breaks within the same budget."""
    if not len(standing):
        return 0
    columns = {"index": case.batch.index[standing]}
    some = Batch.trusted(case.batch.x[standing], case.batch.y[standing], columns)
    found = case.attacked_by(attack, some)
    distance = case.attack.norm.size(found.x - some.x)
    return int((found.reached & within(distance, case.eps)).sum())
