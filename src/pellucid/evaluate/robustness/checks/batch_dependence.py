"""Answers that depend on what else is in the batch."""

from collections.abc import Callable

import torch

from pellucid.attacks.victim import Images, Logits
from pellucid.evaluate.robustness.checks.case import Case
from pellucid.metrics.verdict import Verdict

_IMAGES = 8
_STATISTICS = (
    "BatchNorm takes the statistics of the batch, so an attacked image is helped or harmed by its neighbors: use "
    "running statistics (model.eval()), and none with track_running_stats=False"
)
_ELSEWHERE = (
    "an attacked image is helped or harmed by its neighbors: look in the network for what mixes images, such as a "
    "mean over the first dimension"
)


def batch_dependence(case: Case) -> Verdict:
    """An image gets the same answer alone as among others, both as given and in evaluation mode."""
    limit = case.rounding * case.scale  # batches of another size are multiplied in another order
    evaluation = _change(case, case.answers, 1, limit)
    # pairs, since in training mode a BatchNorm may refuse a single image
    training = any(module.training for module in case.model.modules())
    given = _change(case, case.answers_as_given, 2, limit) if training else evaluation
    modes = [mode for mode, change in (("as given", given), ("in evaluation mode", evaluation)) if change > limit]
    return Verdict(
        "batch-dependence",
        passed=not modes,
        finding=(
            f"logits of an image change by up to {max(given, evaluation):.3g} with the rest of the batch "
            f"({' and '.join(modes)})"
            if modes
            else "an image gets the same answer whatever else is in the batch"
        ),
        evidence={"as-given": given, "evaluation": evaluation},
        remedy=_STATISTICS if _batch_norm(case) else _ELSEWHERE,
    )


def _batch_norm(case: Case) -> bool:
    """Whether a layer takes the statistics of the batch."""
    norms = [module for module in case.model.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]  # pyright: ignore[reportPrivateUsage]
    return any(norm.training or norm.running_mean is None for norm in norms)


def _change(case: Case, answers: Callable[[Images], Logits], size: int, limit: float) -> float:
    """How much logits change between the whole batch and pieces of it."""
    count = min(_IMAGES, case.size) // size * size
    whole, again = (answers(case.batch.x)[:count] for _ in range(2))
    if not count or float((again - whole).abs().amax()) > limit:
        return 0.0  # other checks tell of randomness, from which company cannot be told apart
    apart = torch.cat([answers(piece) for piece in case.batch.x[:count].split(size)])
    return float((apart - whole).abs().amax())
