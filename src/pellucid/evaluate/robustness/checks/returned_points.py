"""Points that an attack returns and that do not keep its promises."""

from pellucid.attacks.attack import within
from pellucid.evaluate.robustness.checks.case import Case
from pellucid.metrics.verdict import Verdict

_TIE = 1e-4  # of the logits' scale: a point on the boundary may tip to either side


def returned_points(case: Case) -> Verdict:
    """What the attack returns lies in ball and box, and a forward pass in other company confirms it."""
    found, goal = case.attacked, case.attack.goal
    distance = case.attack.norm.size(found.x - case.batch.x)
    far = ~within(distance, case.attack.budget)
    off = ((found.x < 0) | (found.x > 1)).flatten(1).any(1)
    logits = case.answers(found.x.flip(0)).flip(0)
    tie = goal.margin(logits, case.batch.y).abs() <= _TIE * case.scale
    denied = (goal.reached(logits, case.batch.y) & within(distance, case.attack.budget)) != found.reached
    counts = [int(wrong.sum()) for wrong in (far, off, denied & ~tie)]
    return Verdict(
        "returned-points",
        passed=not any(counts),
        finding=(
            f"of {case.size} points that the attack returned, {counts[0]} lie outside the ball, {counts[1]} outside "
            f"[0, 1], and for {counts[2]} a fresh forward pass decides otherwise"
        ),
        evidence={"outside-ball": counts[0], "outside-box": counts[1], "denied": counts[2]},
        remedy=_remedy(case, *counts),
    )


def _remedy(case: Case, far: int, off: int, denied: int) -> str:
    words: list[str] = []
    if (far or off) and bool(((case.batch.x < 0) | (case.batch.x > 1)).any()):
        words.append("the images lie outside [0, 1], and points are drawn back into it: give pixels in [0, 1]")
    elif far or off:
        words.append("the attack does not keep to ball and box: project what it returns")
    if denied:
        words.append("the same points get other answers: see what the checks of randomness and of the batch say")
    return "; ".join(words)
