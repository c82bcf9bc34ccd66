"""Student's interval for means over a few independent repetitions, such as the seeds of a training."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ShapeError
from pellucid.metrics.estimates import Estimate

_NORMAL = 1.959963984540054  # the normal quantile of 97.5 %
_ALONE = 12.706204736432095  # Student's with one degree of freedom
_TWO = 4.302652729911275  # and with two


def quantile(freedom: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Student's quantile of 97.5 %: infinite without a degree of freedom, else right to three digits."""
    z, v = _NORMAL, freedom.clamp_min(3)
    # the expansion of Abramowitz and Stegun 26.7.5, which is poor for one degree and for two
    series = z + (z**3 + z) / (4 * v) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
    series = series + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    series = series + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4)
    few = torch.where(freedom < 2, _ALONE, torch.where(freedom < 3, _TWO, series))
    return few.where(freedom >= 1, torch.inf)


def over_repeats(values: Float[Tensor, " n"]) -> Estimate:
    """The mean of a few independent repetitions, with Student's 95 % interval: endless where there is one alone."""
    if len(values) == 0:
        raise ShapeError("a mean of 0 repetitions is no number; give one or more")
    values = values.detach().cpu().double()
    mean, n = float(values.mean()), len(values)
    if n == 1:
        return Estimate(mean, -math.inf, math.inf, n)
    margin = float(quantile(torch.tensor(n - 1.0))) * float(values.std()) / math.sqrt(n)
    return Estimate(mean, mean - margin, mean + margin, n)
