"""Square's windows and changes against slow ones, and what it may not do."""

import re
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from chance import rare
from networks import images, linear, smooth
from pellucid.attacks import Square
from pellucid.attacks.square import Draws, Windows, bumps, mosaic, recolored, shrunk, striped, swapped, tiled
from pellucid.errors import ConfigError, ShapeError
from pellucid.norms import L1, L2, Linf
from pellucid.protocols import Norm
from pellucid.randomness import Noise

shapes = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))
shares = st.sampled_from([1.0, 0.8, 0.3, 0.05, 0.001])
seeds = st.integers(0, 2**32)


def right(model: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        return model(x).argmax(1)


def luck_for(x: Tensor, seed: int) -> Draws:
    return Draws(Draws.ahead(noise_for(x, seed), x.shape[1])[:, 0])


def noise_for(x: Tensor, seed: int) -> Noise:
    return Noise(seed, torch.arange(len(x)))


def perturbed(shape: tuple[int, ...], eps: float, seed: int) -> tuple[Tensor, Tensor]:
    """Gray images, far from the walls, and points at L2 distance `eps`."""
    x = torch.full(shape, 0.5, dtype=torch.float64)
    direction = noise_for(x, seed).stream("direction").normal(*shape[1:], dtype=torch.float64)
    return x, x + eps * L2().steepest(direction)


@given(shapes, seeds, st.data())
def test_a_window_is_a_slice(shape: tuple[int, ...], seed: int, data: st.DataObject) -> None:
    count, _, height, width = shape
    side = data.draw(st.integers(1, min(height, width)))
    windows = Windows.at(Noise(seed, torch.arange(count)).uniform(2), side, height, width)
    tiles = torch.arange(2 * side * side).view(2, side, side) + 1.0
    chosen = torch.arange(count) % 2
    mask, filled = windows.mask, windows.filled(tiles, chosen)
    for image, (top, left) in enumerate(zip(windows.top.tolist(), windows.left.tolist(), strict=True)):
        expected = torch.zeros(height, width)
        expected[top : top + side, left : left + side] = tiles[chosen[image]]
        assert torch.equal(filled[image, 0], expected)
        assert torch.equal(mask[image, 0], expected > 0)


def test_windows_come_everywhere_alike() -> None:
    windows = Windows.at(Noise(0, torch.arange(6000)).uniform(2), 3, 5, 7)
    for place, choices in ((windows.top, 3), (windows.left, 5)):
        counts = place.bincount(minlength=choices)
        assert len(counts) == choices
        assert not any(rare(count, 6000, 1 / choices) for count in counts.tolist())


@given(st.integers(1, 12))
def test_a_bump_has_unit_length_either_way(side: int) -> None:
    upright, turned = bumps(side, torch.zeros(1, dtype=torch.float64))
    assert upright.norm().item() == pytest.approx(1)
    assert torch.equal(upright.T, turned)
    assert bool((upright[: side // 2] > 0).all())
    assert bool((upright[side // 2 :] < 0).all())


@given(shapes, seeds, shares)
def test_for_linf_pixels_go_to_the_extremes(shape: tuple[int, ...], seed: int, share: float) -> None:
    x = images(*shape, seed=1)
    noise, eps = noise_for(x, seed), 0.3
    start = striped(x, eps, noise)
    after = recolored(x, start, eps, share, luck_for(x, seed))
    for points in (start, after):
        assert bool(torch.isclose(points, (x + eps).clamp(0, 1)).logical_or(points == (x - eps).clamp(0, 1)).all())
    assert torch.equal(start[:, :, :1].sub(x[:, :, :1]) > 0, start[:, :, -1:].sub(x[:, :, -1:]) > 0)


@given(shapes, seeds)
def test_for_l2_the_start_fills_the_ball(shape: tuple[int, ...], seed: int) -> None:
    x = torch.full(shape, 0.5, dtype=torch.float64)
    tiles = mosaic(x, noise_for(x, seed))
    assert tiles.shape == x.shape
    count, channels, height, width = shape
    if height == width >= 5:
        assert torch.allclose(tiles.square().sum((1, 2, 3)), torch.full((count,), 25.0 * channels).double())
    start = tiled(x, 0.2, noise_for(x, seed))
    assert torch.allclose(L2().size(start - x), torch.full(shape[:1], 0.2, dtype=torch.float64))


@pytest.mark.parametrize(
    ("height", "width", "top", "left", "side", "rows", "columns"),
    [
        (8, 8, 1, 1, 1, 5, 5),  # not 8 by 8, of which those at the edge would be out of reach
        (14, 14, 2, 2, 2, 5, 5),
        (28, 28, 1, 1, 5, 5, 5),
        (32, 32, 1, 1, 6, 5, 5),
        (64, 64, 2, 2, 12, 5, 5),
        (8, 24, 1, 4, 1, 5, 15),
        (24, 8, 4, 1, 1, 15, 5),
        (3, 3, 0, 0, 1, 3, 3),
    ],
)
def test_for_l2_the_start_is_five_by_five_bumps_in_the_middle(
    height: int, width: int, top: int, left: int, side: int, rows: int, columns: int
) -> None:
    x = torch.zeros(1, 2, height, width, dtype=torch.float64)
    there = mosaic(x, noise_for(x, 0)) != 0
    expected = torch.zeros(height, width, dtype=torch.bool)
    expected[top : top + rows * side, left : left + columns * side] = True
    assert torch.equal(there, expected.expand_as(there))


@given(shapes, seeds, shares, st.floats(0, 1))
def test_for_l2_the_perturbation_stays_as_long_as_it_may_be(
    shape: tuple[int, ...], seed: int, share: float, used: float
) -> None:
    x, best = perturbed(shape, 0.3 * used, seed)
    after = swapped(x, best, 0.3, share, luck_for(x, seed))
    assert torch.allclose(L2().size(after - x), torch.full(shape[:1], 0.3, dtype=torch.float64))


@given(shapes, seeds, shares, st.floats(0.1, 1))
def test_for_l2_a_swap_is_that_of_the_paper_image_by_image(
    shape: tuple[int, ...], seed: int, share: float, used: float
) -> None:
    eps = 0.3
    x, best = perturbed(shape, eps * used, seed)
    luck = luck_for(x, seed)
    found = swapped(x, best, eps, share, luck) - x
    count, channels, height, width = shape
    side = round((share * height * width) ** 0.5)
    side = min(max(side + (side + 1) % 2, 3), height, width)
    to, of = (Windows.at(place, side, height, width) for place in (luck.receiver, luck.giver))
    tiles, turned, sign = bumps(side, x), luck.turn, luck.signs(x.dtype)
    for image in range(count):
        delta = (best - x)[image]
        unused = eps**2 - delta.square().sum()
        receiver, giver = (
            (slice(int(w.top[image]), int(w.top[image]) + side), slice(int(w.left[image]), int(w.left[image]) + side))
            for w in (to, of)
        )
        moved = delta.clone()
        moved[:, giver[0], giver[1]] = 0
        for channel in range(channels):
            both = torch.zeros(height, width, dtype=torch.bool)
            both[receiver] = both[giver] = True
            old = delta[channel][receiver]
            shape_ = old / old.norm() + sign[image, channel, 0, 0] * tiles[turned[image]]
            mass = delta[channel][both].square().sum() + unused / channels
            moved[channel][receiver] = shape_ / shape_.norm() * mass.sqrt()
        assert moved.norm().item() == pytest.approx(eps) or side == 1  # where a bump may cancel what was there
        assert torch.allclose(found[image], moved, atol=1e-9) or side == 1


@pytest.mark.parametrize(("norm", "eps"), [(Linf(), 0.02), (L2(), 0.05)])
def test_it_stays_in_the_ball_and_takes_no_gradient(norm: Norm, eps: float) -> None:
    model, x = smooth(channels=2), images(5, 2, 6, 6)
    found = Square(eps=eps, norm=norm, queries=40)(model, x, right(model, x))
    assert (found.distance <= eps * (1 + 1e-12)).all()
    assert (found.backwards == 0).all()
    assert not found.reached.any()
    assert (found.forwards == 42).all()  # and the decisions before and after


@pytest.mark.parametrize(("norm", "share"), [(Linf(), 0.99), (L2(), 0.65)])
def test_it_comes_near_the_best_point_of_a_linear_network(norm: Norm, share: float) -> None:
    model, x = linear(classes=2, pixels=36), 0.3 + 0.4 * images(4, 1, 6, 6)
    y = right(model, x)
    (layer,) = (module for module in model if isinstance(module, nn.Linear))
    slope = (layer.weight[0] - layer.weight[1]).detach()
    eps = 1e-3
    best = eps * (slope.abs().sum() if isinstance(norm, Linf) else slope.norm())
    found = Square(eps=eps, norm=norm, queries=500)(model, x, y)
    gain = (found.before.diff(dim=1) - found.after.diff(dim=1)).abs().squeeze(1)
    assert not found.reached.any()
    assert (gain <= best * (1 + 1e-9)).all()
    assert (gain >= best * share).all()


def test_what_falls_leaves() -> None:
    model, x = linear(classes=4), images(6, 1, 3, 3)
    found = Square(eps=0.9, queries=500)(model, x, right(model, x))
    assert found.reached.all()
    assert (found.forwards < 100).all()


def test_one_query_is_the_start() -> None:
    model, x = smooth(), images(3, 1, 6, 6)
    found = Square(eps=0.1, queries=1)(model, x, right(model, x))
    assert (found.forwards == 3).all()
    assert torch.allclose(found.distance, torch.full((3,), 0.1, dtype=torch.float64))


def test_windows_shrink_as_in_the_paper() -> None:
    for query, share in (
        (0, 0.8),
        (10, 0.8),
        (11, 0.4),
        (51, 0.2),
        (2000, 0.025),
        (8001, 0.8 / 512),
        (9999, 0.8 / 512),
    ):
        assert shrunk(0.8, query / 10_000) == share


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Square(eps=-1), "Square has eps=-1; a budget is a length above 0 in [0, 1] pixel units"),
        (lambda: Square(norm=L1()), "Square has norm=L1(); its windows are made for Linf and L2"),
        (lambda: Square(queries=0), "Square has queries=0; a search asks 1 time or more"),
        (lambda: Square(share=0), "Square has share=0; a window takes a share of the image in (0, 1]"),
        (lambda: Square(share=1.5), "Square has share=1.5; a window takes a share of the image in (0, 1]"),
    ],
)
def test_settings_that_make_no_search(make: Callable[[], Square], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        make()


def test_it_needs_rows_and_columns() -> None:
    model, x = linear(), images(2, 9)
    message = "Square needs images of (channels, height, width); these are (9,)"
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        Square()(model, x, right(model, x))
