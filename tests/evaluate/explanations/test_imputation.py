"""Pixels that are taken away, and filled in from those around them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from networks import images
from pellucid.evaluate.counting import passes_of_scores
from pellucid.evaluate.explanations import ROAD, Deletion
from pellucid.evaluate.explanations.road import by_conjugate_gradients, impute
from pellucid.explainers import Gradient


@settings(max_examples=25)
@given(seed=st.integers(0, 2**20), share=st.floats(0.02, 0.97), high=st.integers(2, 9), wide=st.integers(2, 9))
def test_an_imputed_pixel_is_the_mean_of_its_neighbors(seed: int, share: float, high: int, wide: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(3, 2, high, wide, generator=generator, dtype=torch.float64)
    gone = torch.rand(3, high, wide, generator=generator) < share
    gone[:, 0, 0] = False
    found = impute(x, gone)
    assert torch.equal(found.movedim(1, -1)[~gone], x.movedim(1, -1)[~gone])
    kernel = torch.tensor([[1.0, 2, 1], [2, 0, 2], [1, 2, 1]], dtype=torch.float64)[None, None]
    around = [
        nn.functional.conv2d(values.flatten(0, 1)[:, None], kernel, padding=1).view_as(x)
        for values in (found, torch.ones_like(x))
    ]
    wanted = around[0] / around[1]
    assert torch.allclose(found.movedim(1, -1)[gone], wanted.movedim(1, -1)[gone], rtol=0, atol=1e-7)
    assert bool((found <= x.amax() + 1e-7).all()) and bool((found >= x.amin() - 1e-7).all())


def test_imputing_nothing_changes_nothing() -> None:
    x = images(2, 3, 5, 5)
    assert torch.equal(impute(x, torch.zeros(2, 5, 5, dtype=torch.bool)), x)
    ramp = torch.full((1, 1, 5, 5), 0.3)
    assert torch.allclose(impute(ramp, torch.arange(25).view(1, 5, 5) > 0), ramp)
    assert impute(ramp, torch.arange(25).view(1, 5, 5) > 0).dtype == torch.float32


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (5, 7), (33, 40)])
def test_a_processor_and_an_accelerator_solve_the_same_system(shape: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(3, 3, *shape, generator=generator, dtype=torch.float64)
    gone = torch.rand(3, *shape, generator=generator) < 0.7
    gone[:, 0, 0] = False
    gone[0], gone[1, 0, 0] = False, True
    torch.testing.assert_close(impute(x, gone), by_conjugate_gradients(x, gone), rtol=0, atol=1e-6)


def test_what_imputing_takes_is_foretold() -> None:
    few, many = ROAD(percents=(50,)), ROAD(percents=tuple(range(1, 100)))
    assert 0 < few.aside((3, 64, 64)) and many.aside((3, 64, 64)) == pytest.approx(99 * few.aside((3, 64, 64)))
    assert passes_of_scores(few, Gradient(), (3, 64, 64), 5).aside == few.aside((3, 64, 64))
    assert passes_of_scores(Deletion(), Gradient(), (3, 64, 64), 5).aside == 0
