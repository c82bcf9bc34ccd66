"""Student's interval and the test by turning signs, beside SciPy's."""

import math
import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from pellucid.errors import ShapeError
from pellucid.metrics import over_repeats, paired
from pellucid.metrics.student import quantile

values = st.lists(st.floats(-5, 5, allow_nan=False, width=32), min_size=2, max_size=9)


def test_the_quantile_is_student_s() -> None:
    freedom = torch.tensor([1, 2, 3, 4, 5, 10, 30, 1000], dtype=torch.float64)
    assert torch.allclose(quantile(freedom), torch.from_numpy(stats.t.ppf(0.975, freedom.numpy())), rtol=2e-3)
    assert quantile(torch.zeros(1)).isinf()


def test_the_interval_of_a_mean_is_student_s() -> None:
    rows = torch.tensor([0.3, 0.5, 0.4, 0.9, 0.2], dtype=torch.float64)
    found = over_repeats(rows)
    low, high = stats.t.interval(0.95, 4, loc=float(rows.mean()), scale=stats.sem(rows.numpy()))
    assert found.low == pytest.approx(low, rel=2e-3) and found.high == pytest.approx(high, rel=2e-3)
    assert found.value == pytest.approx(0.46) and found.n == 5


def test_one_repetition_is_sure_of_nothing() -> None:
    found = over_repeats(torch.tensor([0.5]))
    assert (found.low, found.value, found.high) == (-math.inf, 0.5, math.inf)


def mean_difference(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    return float((one - other).mean())


def as_permutations(first: Tensor, second: Tensor) -> float:
    pairs = (first.numpy(), second.numpy())
    found = stats.permutation_test(
        pairs, mean_difference, permutation_type="samples", vectorized=False, n_resamples=10**6
    )
    return float(found.pvalue)


@pytest.mark.parametrize("n", [2, 5, 7])
def test_exact_as_scipy_has_it(n: int) -> None:
    rows = torch.rand(2, n, generator=torch.Generator().manual_seed(n), dtype=torch.float64)
    found = paired(rows[0] + 0.3, rows[1])
    assert found.exact
    assert found.p == pytest.approx(as_permutations(rows[0] + 0.3, rows[1]))


@pytest.mark.parametrize("n", [1, 2, 5, 6, 14])
def test_the_least_that_so_many_pairs_can_show(n: int) -> None:
    found = paired(torch.arange(n) + 2.0, torch.arange(n) * 0.5)
    assert found.p == 2 / 2**n


@settings(max_examples=30)
@given(values)
def test_what_does_not_change_the_test(rows: list[float]) -> None:
    first, second = torch.tensor(rows, dtype=torch.float64), torch.zeros(len(rows), dtype=torch.float64)
    found = paired(first, second)
    other = paired(second, first)
    assert found.p == other.p
    assert found.difference.value == -other.difference.value
    # powers of two, which round nothing
    assert paired(4 * first, second).p == found.p
    assert paired(first.flip(0), second).p == found.p


def test_equal_ones_do_not_differ() -> None:
    rows = torch.tensor([0.1, 0.7, 0.2])
    assert paired(rows, rows).p == 1


def test_many_pairs_are_drawn() -> None:
    rows = torch.randn(40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = paired(rows + 0.3, torch.zeros(40, dtype=torch.float64))
    assert not found.exact
    standing = float((rows + 0.3).mean() / (rows.std() / 40**0.5))
    assert found.p == pytest.approx(2 * float(stats.t.sf(abs(standing), 39)), abs=0.02)
    assert paired(rows + 9, torch.zeros(40, dtype=torch.float64)).p == 1 / 10000


def test_errors() -> None:
    with pytest.raises(ShapeError, match=f"^{re.escape('a mean of 0 repetitions is no number; give one or more')}$"):
        over_repeats(torch.zeros(0))
    with pytest.raises(ShapeError, match=f"^{re.escape('2 and 3 values are no pairs; give as many of each')}$"):
        paired(torch.zeros(2), torch.zeros(3))
