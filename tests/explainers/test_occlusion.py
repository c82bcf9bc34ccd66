"""Occlusion against what it is on linear networks, and by hand."""

import re
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from networks import Counting, images, linear, smooth
from pellucid.errors import ConfigError, ShapeError
from pellucid.evaluate.explanations import counted
from pellucid.explainers import InputTimesGradient, Occlusion
from pellucid.explainers.baseline import Baseline, baseline_of

X, Y = images(3, 2, 6, 6), torch.tensor([3, 1, 0])


@pytest.mark.parametrize("baseline", [0.0, 0.4, "mean"])
def test_pixel_by_pixel_on_a_linear_network_it_is_what_each_pixel_adds(baseline: Baseline) -> None:
    model = linear(pixels=36)
    x = X[:, :1]
    weight = model.get_parameter("1.weight")[Y].view_as(x).detach()
    found = Occlusion(window=1, stride=1, baseline=baseline)(model, x, Y).map
    assert torch.allclose(found, weight * (x - baseline_of(x, baseline, model)))
    if baseline == 0:
        assert torch.allclose(found, InputTimesGradient()(model, x, Y).map)


def test_a_window_hides_all_channels() -> None:
    model = linear(pixels=72)
    summands = model.get_parameter("1.weight")[Y].view_as(X).detach() * X
    found = Occlusion(window=1, stride=1)(model, X, Y).map
    assert torch.allclose(found, summands.sum(1, keepdim=True).expand_as(X))


@settings(max_examples=30)
@given(st.integers(4, 7), st.integers(4, 7), st.integers(1, 4), st.integers(1, 4))
def test_a_map_is_the_mean_over_the_windows_that_cover_a_pixel(
    high: int, wide: int, window: int, stride: int
) -> None:
    stride = min(stride, window)
    x = images(2, 1, high, wide)
    model = linear(pixels=high * wide)
    total, count = torch.zeros_like(x), torch.zeros_like(x)
    for top in range(0, high - window + stride, stride):
        for left in range(0, wide - window + stride, stride):
            copy = x.clone()
            copy[:, :, top : top + window, left : left + window] = 0.25
            fall = (model(x) - model(copy))[:, 1].detach()
            total[:, :, top : top + window, left : left + window] += fall[:, None, None, None]
            count[:, :, top : top + window, left : left + window] += 1
    assert (count > 0).all(), "every pixel is covered"
    assert torch.allclose(Occlusion(window, stride, 0.25)(model, x, 1).map, total / count)


def test_one_window_over_everything_is_the_fall_to_the_baseline() -> None:
    model, x = smooth(), images(3, 1, 6, 6)
    fall = (model(x) - model(torch.zeros_like(x))).gather(1, Y[:, None]).detach()
    assert torch.allclose(Occlusion(window=6, stride=6)(model, x, Y).map, fall[..., None, None].expand_as(x))


def test_an_image_that_is_the_baseline_has_no_map() -> None:
    x = torch.full((2, 1, 6, 6), 0.5, dtype=torch.float64)
    for explainer in (Occlusion(baseline=0.5), Occlusion(baseline="mean")):
        found = explainer(smooth(), x, 0).map
        assert torch.allclose(found, torch.zeros_like(x), atol=1e-14)


def test_passes_are_one_for_each_window_and_one_for_the_image() -> None:
    """A window of 3 with stride 2 has 3 places along a side of 6, the last one cut short."""
    x, model = images(3, 1, 6, 6), Counting(smooth())
    Occlusion(window=3, stride=2)(model, x, Y)
    assert model.forwards == 1 + 1, "9 windows of 3 images go in one pass"
    model = Counting(smooth())
    Occlusion(window=3, stride=2)(model, x, Y, memory=1)
    assert model.forwards == 1 + 9, "of 3 images in one pass"


@pytest.mark.parametrize(
    ("sides", "window", "stride"),
    [
        ((1, 1), 1, 1),
        ((4, 4), 2, 1),
        ((8, 8), 4, 2),
        ((8, 30), 4, 2),
        ((28, 28), 4, 2),
        ((32, 32), 6, 3),
        ((224, 224), 30, 15),
        ((224, 320), 38, 19),
        ((512, 512), 70, 35),
        ((1, 4000), 40, 20),
    ],
)
def test_windows_are_as_large_as_the_image_asks_for(sides: tuple[int, int], window: int, stride: int) -> None:
    found = Occlusion().resolved((3, *sides))
    assert (found.window, found.stride) == (window, stride)
    assert found.resolved((3, 9, 9)) is found, "numbers stay as they are"


@settings(max_examples=200)
@given(st.integers(1, 600), st.integers(1, 600))
def test_by_auto_no_image_takes_more_than_200_passes(high: int, wide: int) -> None:
    assert 2 <= Occlusion().forwards(torch.empty(1, 1, high, wide)) <= 200


@pytest.mark.parametrize(
    ("explainer", "window", "stride"),
    [
        (Occlusion(window=8), 8, 4),
        (Occlusion(window=1), 1, 1),
        (Occlusion(stride=10), 30, 10),
        (Occlusion(stride=40), 40, 40),
    ],
)
def test_what_is_given_stays(explainer: Occlusion, window: int, stride: int) -> None:
    found = explainer.resolved((3, 224, 224))
    assert (found.window, found.stride) == (window, stride)


@pytest.mark.parametrize(("high", "wide"), [(3, 3), (8, 8), (9, 20), (2, 600), (40, 33)])
def test_what_it_says_that_it_takes_is_what_it_takes(high: int, wide: int) -> None:
    x, model = images(1, 1, high, wide), linear(pixels=high * wide)
    with counted(model) as passes:
        by_auto = Occlusion()(model, x, 1).map
    assert passes.forwards == Occlusion().forwards(x)
    assert passes.backwards == 0
    assert torch.equal(by_auto, Occlusion().resolved(x.shape[1:])(model, x, 1).map)
    assert by_auto.flatten(1).std() > 0


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Occlusion(window=0), ConfigError, "Occlusion has window=0; give 1 pixel or more, or 'auto'"),
        (
            lambda: Occlusion(window=2, stride=3),
            ConfigError,
            "Occlusion has stride=3 and window=2; give a stride from 1 to 2, or no window covers some pixels",
        ),
        (
            lambda: Occlusion(baseline=-1.0),
            ConfigError,
            "Occlusion has baseline=-1; give a number in [0, 1], 'mean', 'blur' or 'network-mean'",
        ),
        (
            lambda: Occlusion(window=7)(smooth(), images(1, 1, 6, 6), 0),
            ShapeError,
            "Occlusion has window=7 for images of 6 x 6; give 1 to 6 pixels, or 'auto'",
        ),
        (
            lambda: Occlusion(stride=0),
            ConfigError,
            "Occlusion has stride=0 and window=auto; give 1 pixel or more, or no window covers some pixels",
        ),
        (
            lambda: Occlusion()(linear(), images(2, 9), 0),
            ShapeError,
            "Occlusion reads images of (channels, height, width); these are (9,)",
        ),
    ],
)
def test_what_is_refused(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        make()
