"""How often chance does as well, beside SciPy's exact tests."""

import re

import pytest
import torch
from scipy import stats

from pellucid.errors import ShapeError
from pellucid.metrics.chance import at_least, no_better


@pytest.mark.parametrize("n", [1, 8, 64, 500, 20000])
@pytest.mark.parametrize("probability", [1e-3, 0.1, 0.5, 0.97])
def test_the_binomial_tail(n: int, probability: float) -> None:
    for successes in (0, 1, n // 2, n):
        expected = stats.binom.sf(successes - 1, n, probability)
        assert at_least(successes, n, probability) == pytest.approx(expected, rel=1e-6, abs=1e-300)


def test_its_ends() -> None:
    assert at_least(0, 0, 0.5) == at_least(3, 3, 1.0) == 1
    assert at_least(1, 3, 0.0) == 0
    with pytest.raises(ShapeError, match=re.escape("4 of 3 tries at a probability of 0.5 are no draw")):
        at_least(4, 3, 0.5)


def test_mcnemar_counts_what_differs() -> None:
    first = torch.tensor([True] * 9 + [False] * 3 + [True] * 20)
    second = torch.tensor([False] * 9 + [True] * 3 + [True] * 20)
    expected = stats.binomtest(9, 12, 0.5, alternative="greater").pvalue
    assert no_better(first, second) == pytest.approx(expected)
    assert no_better(first, first) == 1
