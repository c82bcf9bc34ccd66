import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from chance import rare, strays
from pellucid.norms import L0, L2, NORMS, RMS, Linf
from pellucid.protocols import Norm
from pellucid.randomness import Noise

norms = st.sampled_from([norm() for norm in NORMS.values()])
true_norms = st.sampled_from([norm() for norm in NORMS.values() if norm is not L0])
budgets = st.floats(0, 8)
images = arrays.arrays(
    "float64",
    st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4)),
    elements=st.floats(-1e3, 1e3, allow_subnormal=False),
).map(torch.from_numpy)


@given(norms, images, budgets)
def test_a_projection_fits_and_stays(norm: Norm, delta: torch.Tensor, eps: float) -> None:
    projected = norm.project(delta, eps)
    assert projected.shape == delta.shape
    assert bool((norm.size(projected) <= eps * (1 + 1e-9) + 1e-12).all())
    assert torch.allclose(norm.project(projected, eps), projected, rtol=1e-9, atol=1e-12)


@given(norms, images)
def test_what_fits_is_left_alone(norm: Norm, delta: torch.Tensor) -> None:
    assert torch.equal(norm.project(delta, norm.size(delta) * (1 + 1e-12)), delta)


@given(norms, images, budgets, st.integers(0, 2**40))
def test_no_point_of_the_ball_is_nearer_than_the_projection(
    norm: Norm, delta: torch.Tensor, eps: float, seed: int
) -> None:
    projected = norm.project(delta, eps)
    other = norm.random(delta, eps, Noise(seed, torch.arange(len(delta))))
    nearest = (projected - delta).flatten(1).norm(dim=1)
    assert bool((nearest <= (other - delta).flatten(1).norm(dim=1) * (1 + 1e-9) + 1e-9).all())


@given(true_norms, images, budgets)
def test_the_point_of_the_surface_is_as_long_as_asked_and_ahead(norm: Norm, delta: torch.Tensor, eps: float) -> None:
    point, size = norm.on_surface(delta, eps), norm.size(delta)
    there = size > 1e-290
    assert torch.allclose(norm.size(point), torch.where(there, eps, size), rtol=1e-9, atol=1e-12)
    column = (-1, *[1] * (delta.dim() - 1))
    assert torch.allclose(point * size.view(column), delta * eps, rtol=1e-9, atol=1e-9)
    assert torch.allclose(norm.on_surface(point, eps), point, rtol=1e-9, atol=1e-12)
    # longer ones come to it by going straight back, which in L2 and RMS is the nearest way
    if isinstance(norm, L2 | RMS):
        projected = norm.project(delta, eps)
        assert torch.allclose(torch.where((size > eps).view(column), point, delta), projected, rtol=1e-9, atol=1e-9)


@given(norms, images, st.lists(st.floats(0, 8), min_size=4, max_size=4))
def test_each_image_goes_to_the_surface_by_itself(norm: Norm, delta: torch.Tensor, lengths: list[float]) -> None:
    eps = torch.tensor(lengths[: len(delta)], dtype=delta.dtype)
    points = norm.on_surface(delta, eps)
    for row in range(len(delta)):
        alone = norm.on_surface(delta[row : row + 1], float(eps[row]))
        assert torch.allclose(alone, points[row : row + 1], rtol=1e-12, atol=0)


@pytest.mark.parametrize("norm", [norm() for name, norm in NORMS.items() if name != "l0"])
def test_no_direction_is_too_short_to_stay_finite(norm: Norm) -> None:
    delta = torch.tensor([0.0, 1e-45, 1e-38, 1e-30, 1e-20]).view(5, 1, 1, 1).expand(5, 1, 2, 2)
    points = norm.on_surface(delta, 1e3)
    assert points.isfinite().all()
    assert norm.size(points)[-1].item() == pytest.approx(1e3, rel=1e-4)


@given(images, budgets)
def test_on_the_surface_of_counts_are_the_largest_entries(delta: torch.Tensor, eps: float) -> None:
    assert torch.equal(L0().on_surface(delta, eps), L0().project(delta, eps))


@given(norms, images, st.integers(0, 2**40))
def test_no_direction_of_length_one_rises_more_than_the_steepest(
    norm: Norm, gradient: torch.Tensor, seed: int
) -> None:
    steepest = norm.steepest(gradient)
    assert bool((norm.size(steepest) <= 1 + 1e-9).all())
    rise = (steepest * gradient).flatten(1).sum(1)
    other = norm.random(gradient, 1.0, Noise(seed, torch.arange(len(gradient))))
    assert bool((rise >= (other * gradient).flatten(1).sum(1) - 1e-9 * gradient.abs().sum()).all())


@given(norms, images)
def test_the_steepest_direction_has_length_one_where_there_is_a_slope(norm: Norm, gradient: torch.Tensor) -> None:
    size = norm.size(norm.steepest(gradient))
    slope = gradient.flatten(1).abs().amax(1) > 0
    assert torch.allclose(size, slope.double(), atol=1e-9)


@given(true_norms, images, st.floats(0, 3))
def test_a_size_is_a_norm(norm: Norm, delta: torch.Tensor, factor: float) -> None:
    assert torch.allclose(norm.size(delta * -factor), norm.size(delta) * factor, rtol=1e-9)
    other = delta.flip(0)
    together, apart = norm.size(delta + other), norm.size(delta) + norm.size(other)
    assert bool((together <= apart * (1 + 1e-9)).all())


@given(norms, images, budgets, st.integers(0, 2**40))
def test_random_points_fit_and_are_drawn_per_image(norm: Norm, like: torch.Tensor, eps: float, seed: int) -> None:
    index = torch.arange(len(like)) + 3
    points = norm.random(like, eps, Noise(seed, index))
    assert bool((norm.size(points) <= eps * (1 + 1e-6)).all())
    assert torch.equal(norm.random(like[:1], eps, Noise(seed, index[:1])), points[:1])


@pytest.mark.parametrize("name", [name for name in NORMS if name != "l0"])
def test_random_points_fill_the_ball_evenly(name: str) -> None:
    like = torch.zeros(4000, 1, 1, 3, dtype=torch.float64)
    norm = NORMS[name]()
    sizes = norm.size(norm.random(like, 2.0, Noise(1, torch.arange(4000))))
    # in three dimensions half of the ball lies beyond the radius 2 / 2 ** (1 / 3)
    assert not rare(int((sizes > 2 / 2 ** (1 / 3)).sum()), 4000, 0.5)
    points = norm.random(like, 2.0, Noise(1, torch.arange(4000))).flatten(1)
    assert not any(strays(coordinate.tolist(), 0) for coordinate in points.T)


@given(images, st.floats(0.5, 3))
def test_a_number_of_changes_is_as_long_as_twice_it(delta: torch.Tensor, factor: float) -> None:
    assert torch.equal(L0().size(delta * -factor), L0().size(delta))
    assert bool((L0().size(delta + delta.flip(0)) <= L0().size(delta) + L0().size(delta.flip(0))).all())


def test_of_the_changes_the_largest_are_kept_and_of_equal_ones_the_first() -> None:
    delta = torch.tensor([[1.0, -3.0, 2.0, 3.0], [1.0, 1.0, -1.0, 1.0]])
    assert L0().project(delta, 1.9).tolist() == [[0, -3, 0, 0], [1, 0, 0, 0]]
    assert L0().project(delta, torch.tensor([3.0, 2.0])).tolist() == [[0, -3, 2, 3], [1, 1, 0, 0]]
    assert L0().project(delta, 0).tolist() == [[0] * 4] * 2
    assert torch.equal(L0().project(delta, 9), delta)


def test_random_changes_are_as_many_as_fit_and_anywhere() -> None:
    points = L0().random(torch.zeros(4000, 1, 1, 3), 2.5, Noise(1, torch.arange(4000)))
    assert bool((L0().size(points) == 2).all())
    assert not any(rare(count, 4000, 2 / 3) for count in (points != 0).sum(0).flatten().tolist())
    assert 0.95 < float(points.max()) <= 1
    assert -1 <= float(points.min()) < -0.95


@pytest.mark.parametrize("norm", [Linf(), L2(), RMS()])
def test_budgets_may_differ_by_image(norm: Norm) -> None:
    delta = torch.ones(3, 1, 2, 2)
    eps = torch.tensor([0.0, 0.5, 100.0])
    sizes = norm.size(norm.project(delta, eps))
    assert torch.allclose(sizes, torch.minimum(eps, norm.size(delta)))


def test_tiny_gradients_of_saturated_networks_still_point_somewhere() -> None:
    gradient = torch.full((1, 1, 2, 2), 1e-30)
    for name in NORMS:
        assert float(NORMS[name]().size(NORMS[name]().steepest(gradient))) == pytest.approx(1)


def test_root_mean_square_is_euclid_per_pixel() -> None:
    delta = torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(RMS().size(delta) * math.sqrt(48), L2().size(delta))
