"""The sorted projections against linear programs and bisection."""

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.optimize import linprog
from torch import Tensor

from pellucid.attacks.fab_projections import Liftable, lift
from pellucid.norms import L1, L2, RMS, Linf

norms = st.sampled_from([Linf(), L2(), RMS(), L1()])
# eighths and quarters, so that ties, zeros and pixels at the walls are common; and others
pixels = st.integers(0, 8).map(lambda n: n / 8) | st.floats(0, 1, allow_subnormal=False)
slopes = st.integers(-8, 8).map(lambda n: n / 4) | st.floats(-4, 4).map(lambda value: round(value, 3))
amounts = st.integers(-20, 20).map(lambda n: n / 4) | st.floats(-5, 5)


@st.composite
def tasks(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor]:
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 2), st.integers(1, 3), st.integers(1, 3)))
    x = draw(arrays.arrays("float64", shape, elements=pixels))
    slope = draw(arrays.arrays("float64", shape, elements=slopes))
    amount = draw(arrays.arrays("float64", shape[:1], elements=amounts))
    return torch.from_numpy(x), torch.from_numpy(slope), torch.from_numpy(amount)


def attainable(x: Tensor, slope: Tensor, amount: Tensor) -> Tensor:
    """The amounts, or the nearest to them that a change within the box attains."""
    most = torch.maximum(slope * (1 - x), -slope * x).flatten(1).sum(1)
    least = torch.minimum(slope * (1 - x), -slope * x).flatten(1).sum(1)
    return amount.clamp(least, most)


@given(norms, tasks())
def test_it_arrives_at_the_plane_without_leaving_the_box(norm: Liftable, task: tuple[Tensor, Tensor, Tensor]) -> None:
    x, slope, amount = task
    delta = lift(x, slope, amount, norm)
    assert delta.shape == x.shape
    assert bool((x + delta >= -1e-12).all())
    assert bool((x + delta <= 1 + 1e-12).all())
    assert torch.allclose((delta * slope).flatten(1).sum(1), attainable(x, slope, amount), atol=1e-9)
    assert bool((delta[slope == 0] == 0).all())


@settings(max_examples=60)
@given(st.sampled_from([Linf(), L1()]), tasks())
def test_no_change_is_shorter_says_a_linear_program(norm: Liftable, task: tuple[Tensor, Tensor, Tensor]) -> None:
    x, slope, amount = task
    found = norm.size(lift(x, slope, amount, norm))
    for number, wanted in enumerate(attainable(x, slope, amount).tolist()):
        exact = programmed(x[number].flatten().numpy(), slope[number].flatten().numpy(), wanted, norm)
        assert found[number].item() == pytest.approx(exact, abs=1e-6)


def programmed(x: numpy.ndarray, slope: numpy.ndarray, wanted: float, norm: Liftable) -> float:
    """The length of the shortest change, whose absolute entries are variables of their own."""
    count = len(x)
    one = numpy.eye(count)
    bounds = [(-value, 1 - value) for value in x] + [(0, None)] * (count if norm == L1() else 1)
    size = one if norm == L1() else numpy.ones((count, 1))
    cost = numpy.concatenate((numpy.zeros(count), numpy.ones(size.shape[1])))
    above = numpy.block([[one, -size], [-one, -size]])
    plane = numpy.concatenate((slope, numpy.zeros(size.shape[1])))[None]
    # a strip instead of the plane, since rounding may have put the plane outside the box; small slopes widen it
    above = numpy.concatenate((above, plane, -plane))
    limits = numpy.concatenate((numpy.zeros(2 * count), [wanted + 1e-10, 1e-10 - wanted]))
    return float(linprog(cost, A_ub=above, b_ub=limits, bounds=bounds).fun)


@given(tasks())
def test_no_change_is_shorter_says_bisection(task: tuple[Tensor, Tensor, Tensor]) -> None:
    x, slope, amount = task
    wanted = attainable(x, slope, amount)

    def clipped(time: Tensor) -> Tensor:
        """By duality, the shortest change in L2 follows the slope and is cut off at the walls."""
        return torch.minimum(torch.maximum(time[:, None, None, None] * slope, -x), 1 - x)

    low, high = torch.full_like(amount, -2e3), torch.full_like(amount, 2e3)
    for _ in range(80):
        middle = (low + high) / 2
        short = (clipped(middle) * slope).flatten(1).sum(1) < wanted
        low, high = torch.where(short, middle, low), torch.where(short, high, middle)
    assert torch.allclose(L2().size(lift(x, slope, amount, L2())), L2().size(clipped((low + high) / 2)), atol=1e-7)


@given(norms, tasks())
def test_each_image_is_projected_by_itself(norm: Liftable, task: tuple[Tensor, Tensor, Tensor]) -> None:
    x, slope, amount = task
    together = lift(x, slope, amount, norm)
    assert torch.allclose(lift(x[:1], slope[:1], amount[:1], norm), together[:1], atol=1e-12)


@pytest.mark.parametrize("norm", [Linf(), L2(), L1()])
@pytest.mark.parametrize("factor", [1e-36, 1e-20, 1e20, 1e34])
def test_slopes_of_any_scale_are_as_good(norm: Liftable, factor: float) -> None:
    generator = torch.Generator().manual_seed(0)
    x, slope = torch.rand(2, 8, 3, 16, 16, generator=generator) - torch.tensor([0.0, 0.5]).view(2, 1, 1, 1, 1)
    amount = torch.linspace(-9, 9, 8)
    exact = lift(x.double(), slope.double(), amount.double(), norm)
    scaled = lift(x, slope * factor, amount * factor, norm)
    assert torch.allclose(scaled.double(), exact, atol=1e-4)


@pytest.mark.parametrize("norm", [Linf(), L2(), L1()])
def test_without_a_slope_nothing_moves(norm: Liftable) -> None:
    x = torch.full((2, 1, 2, 2), 0.5)
    assert bool((lift(x, torch.zeros_like(x), torch.tensor([1.0, 0.0]), norm) == 0).all())
