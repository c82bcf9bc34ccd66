"""Sparsity: closed forms, and what must not matter."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.networks import images, linear

from pellucid.errors import MeasurementError
from pellucid.evaluate.explanations import Scores, Sparsity
from pellucid.evaluate.explanations.sparsity import gini


def judged(maps: torch.Tensor) -> Scores:
    model = linear(pixels=maps[0].numel())
    return Sparsity()(model, torch.zeros_like(maps), 0, maps=maps)


@settings(max_examples=20)
@given(st.integers(2, 40), st.floats(1e-200, 1e200))
def test_one_pixel_and_all_alike_and_a_ramp(n: int, factor: float) -> None:
    alike, one = torch.ones(n, dtype=torch.float64), torch.eye(n, dtype=torch.float64)[0]
    ramp = torch.arange(1, n + 1, dtype=torch.float64)
    found = gini(factor * torch.stack([alike, one, ramp]))
    assert found.tolist() == pytest.approx([0, 1 - 1 / n, (n - 1) / (3 * n)], abs=1e-12)


@settings(max_examples=20)
@given(st.integers(0, 2**20), st.integers(2, 12))
def test_it_is_half_the_mean_difference_over_the_mean(seed: int, n: int) -> None:
    shares = torch.rand(3, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    differences = (shares[:, :, None] - shares[:, None, :]).abs().mean((1, 2))
    assert torch.allclose(gini(shares), differences / (2 * shares.mean(1)))


def test_neither_sign_nor_place_nor_factor_matters() -> None:
    maps = images(4, 2, 3, 3) - 0.5
    found = judged(maps).value
    assert torch.allclose(judged(-7 * maps).value, found)
    assert torch.allclose(judged(maps.flip(2, 3)).value, found)
    assert torch.allclose(found, gini(maps.abs().sum(1).flatten(1)))


def test_a_map_of_zeros_has_no_value() -> None:
    found = judged(torch.zeros(2, 1, 3, 3, dtype=torch.float64))
    assert not found.defined.any()
    with pytest.raises(MeasurementError, match=re.escape("none of 2 images has a value; there is no mean")):
        _ = found.mean
    assert (found.forwards, found.backwards) == (1, 0)
