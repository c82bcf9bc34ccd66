"""The area under the ROC curve."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.errors import MeasurementError
from pellucid.metrics.estimates import Estimate

_DRAWS = 1000
_AT_ONCE = 50


def auroc(
    scores: Float[Tensor, " n"],
    positive: Bool[Tensor, " n"],
    *,
    groups: Int[Tensor, " n"] | None = None,
    seed: int = 0,
) -> Estimate:
    """How often a positive row scores higher than a negative one; equal scores count half. 1/2 says nothing.

    The interval is what resampling gives, of rows or of `groups` of rows that belong together; draws without both
    kinds of rows are left out.
    """
    scores, positive = scores.detach().cpu().double(), positive.cpu()
    if bool(positive.all()) or not bool(positive.any()):
        what = "positive" if len(positive) and bool(positive.all()) else "negative"
        raise MeasurementError(f"all {len(positive)} rows are {what}; an area under the ROC curve needs both kinds")
    _, step = scores.unique(return_inverse=True)
    _, group = (torch.arange(len(scores)) if groups is None else groups.cpu()).unique(return_inverse=True)
    count = int(group.max()) + 1
    generator = torch.Generator().manual_seed(seed)
    drawn: list[Tensor] = []
    for _ in range(0, _DRAWS, _AT_ONCE):
        chosen = torch.randint(count, (_AT_ONCE, count), generator=generator)
        times = torch.zeros(_AT_ONCE, count, dtype=torch.float64)
        times.scatter_add_(1, chosen, torch.ones_like(chosen, dtype=torch.float64))
        drawn.append(_area(step, positive, times[:, group]))
    value = float(_area(step, positive, torch.ones(1, len(scores), dtype=torch.float64)))
    areas = torch.cat(drawn)
    low, high = areas[~areas.isnan()].quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return Estimate(value, low, high, len(scores))


def _area(
    step: Int[Tensor, " n"], positive: Bool[Tensor, " n"], weights: Float[Tensor, "draws n"]
) -> Float[Tensor, " draws"]:
    """The area where each row counts so many times; NaN where there are not both kinds."""
    ones, others = (
        torch.zeros(len(weights), int(step.max()) + 1, dtype=torch.float64).index_add_(
            1, step[kind], weights[:, kind]
        )
        for kind in (positive, ~positive)
    )
    below = others.cumsum(1) - others / 2
    return (ones * below).sum(1) / (ones.sum(1) * others.sum(1))
