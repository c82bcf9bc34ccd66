"""How far chance may carry what a test measures: limits that follow from n and from how often a test may be wrong."""

from collections.abc import Sequence
from typing import Any

import torch
from scipy import stats

ERROR = 1e-7
"""How often one comparison may fail where nothing is wrong, so that all of them together stay below 1e-6."""


def differ(one: Sequence[float], other: Sequence[float], *, by: float = 0.0) -> bool:
    """Whether the means of two samples lie further apart than `by` and than chance carries them (Welch's test)."""
    samples = [torch.as_tensor(sample, dtype=torch.float64) for sample in (one, other)]
    spreads = [float(sample.var()) / len(sample) for sample in samples]
    gap = abs(float(samples[0].mean() - samples[1].mean())) - by
    if not any(spreads):
        return gap > 1e-12
    freedom = sum(spreads) ** 2 / sum(s**2 / (len(sample) - 1) for s, sample in zip(spreads, samples, strict=True))
    return gap > 0 and 2 * float(stats.t.sf(gap / sum(spreads) ** 0.5, freedom)) < ERROR


def strays(sample: Sequence[float], expected: float) -> bool:
    """Whether the mean of a sample lies further from what was expected than chance carries it (Student's test)."""
    found: Any = stats.ttest_1samp(torch.as_tensor(sample, dtype=torch.float64).numpy(), expected)
    return float(found.pvalue) < ERROR


def rare(count: int, of: int, share: float) -> bool:
    """Whether so many of all are more, or fewer, than chance brings about where each has the probability `share`."""
    return float(stats.binomtest(count, of, share).pvalue) < ERROR
