import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from chance import rare
from pellucid.errors import ShapeError
from pellucid.metrics import Estimate


@given(st.integers(1, 3000), st.data())
def test_wilson_s_interval_is_scipy_s(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    estimate = Estimate.proportion(successes, n)
    oracle = stats.binomtest(successes, n).proportion_ci(method="wilson")
    assert estimate.low == pytest.approx(oracle.low, abs=1e-9)
    assert estimate.high == pytest.approx(oracle.high, abs=1e-9)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert (estimate.value, estimate.n) == (successes / n, n)


def test_the_interval_of_a_mean_covers_it_about_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(200):
        values = torch.randn(60, generator=torch.Generator().manual_seed(seed)) + 3
        estimate = Estimate.mean(values, seed=seed)
        covered += estimate.low <= 3 <= estimate.high
    # of 60 values, a bootstrap covers a little less often than it says: 94 %
    assert not rare(covered, 200, 0.94)


def test_a_number_without_images_is_refused() -> None:
    with pytest.raises(ShapeError, match=re.escape("0 of 0 images is no share; measure on at least one image")):
        Estimate.proportion(0, 0)
    with pytest.raises(ShapeError, match="a statistic of 0 images is no number; measure on at least one image"):
        Estimate.mean(torch.zeros(0))


def test_an_estimate_reads_with_its_interval_and_n() -> None:
    assert str(Estimate.proportion(90, 100)) == "0.9000 [0.8256, 0.9448] n=100"
