"""Calibration against closed forms."""

import itertools
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pellucid.errors import ConfigError
from pellucid.metrics.calibration import calibration_error, reliability


@given(st.integers(0, 20), st.floats(0.0, 1.0), st.integers(1, 30))
def test_of_equal_confidences_it_is_their_distance_from_the_accuracy(right: int, sure: float, bins: int) -> None:
    told = torch.arange(20) < right
    # all images are alike to the bins only where one bin holds them
    found = calibration_error(torch.full((20,), sure, dtype=torch.float64), told, bins=1)
    assert found.value == pytest.approx(abs(sure - right / 20), abs=1e-12)
    # and a finer division never makes the error smaller
    finer = calibration_error(torch.full((20,), sure, dtype=torch.float64), told, bins=bins)
    assert finer.value >= found.value - 1e-12


def test_of_two_bins_it_is_the_mean_of_both() -> None:
    confidence = torch.tensor([0.5, 0.9, 0.5, 0.9])
    right = torch.tensor([True, True, True, False])
    # the lower bin is sure to 0.5 and right always, the upper one sure to 0.9 and right half of the time
    assert calibration_error(confidence, right, bins=2).value == pytest.approx((0.5 + 0.4) / 2, abs=1e-6)


def test_perfect_calibration_has_almost_no_error() -> None:
    generator = torch.Generator().manual_seed(0)
    confidence = torch.rand(4_000, generator=generator, dtype=torch.float64)
    right = torch.rand(4_000, generator=generator, dtype=torch.float64) < confidence
    found = calibration_error(confidence, right)
    # a bin of 267 images strays by about 0.4 / sqrt(267) = 0.025
    assert found.value < 0.03
    assert calibration_error(confidence, ~right).value == pytest.approx(0.5, abs=0.04)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40), st.integers(1, 50))
def test_bins_hold_every_image_once(rows: list[tuple[float, bool]], bins: int) -> None:
    confidence = torch.tensor([sure for sure, _ in rows], dtype=torch.float64)
    right = torch.tensor([told for _, told in rows])
    curve = reliability(confidence, right, bins=bins)
    assert len(curve) == min(bins, len(rows))
    assert sum(estimate.n for _, estimate in curve) == len(rows)
    assert max(estimate.n for _, estimate in curve) - min(estimate.n for _, estimate in curve) <= 1
    means = [sure for sure, _ in curve]
    assert all(one <= other + 1e-12 for one, other in itertools.pairwise(means))
    error = sum(abs(sure - estimate.value) * estimate.n for sure, estimate in curve) / len(rows)
    found = calibration_error(confidence, right, bins=bins)
    ties = len(confidence.unique()) < len(rows)
    assert ties or found.value == pytest.approx(error, abs=1e-9)
    assert 0.0 <= found.value <= 1.0


def test_no_bins() -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape('0 bins hold no images; take 1 or more')}$"):
        calibration_error(torch.ones(3), torch.ones(3, dtype=torch.bool), bins=0)
