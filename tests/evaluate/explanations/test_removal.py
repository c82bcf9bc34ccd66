"""Measures that take pixels away: what must hold of them whatever the network is."""

import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from chance import strays
from networks import images, linear, smooth
from pellucid.batch import Batch
from pellucid.errors import ConfigError, ShapeError
from pellucid.evaluate.explanations import (
    ROAD,
    Case,
    Deletion,
    FaithfulnessCorrelation,
    Infidelity,
    Insertion,
    Metric,
    PixelFlipping,
)
from pellucid.evaluate.explanations.fills import Fill, filled
from pellucid.evaluate.explanations.removal import Ties, answers, logit, places
from pellucid.explainers import Gradient
from pellucid.models import Normalize
from pellucid.randomness import Noise

FILLS: list[Fill] = ["zero", "mean", "blur", "noise", 0.25]


def _case(model: nn.Module, x: Tensor, maps: Tensor | None = None, *, seed: int = 0) -> Case:
    with torch.no_grad():
        of = model(x).argmax(1)
    return Case(model, Batch(x, of), of, torch.zeros_like(x) if maps is None else maps, None, seed)


def _weight(model: nn.Sequential) -> Tensor:
    layer = model[1]
    assert isinstance(layer, nn.Linear)
    return layer.weight.detach()


def _maps(x: Tensor, seed: int = 9) -> Tensor:
    return torch.randn(x.shape, generator=torch.Generator().manual_seed(seed), dtype=x.dtype)


def _probability(model: nn.Module, x: Tensor, of: Tensor) -> Tensor:
    with torch.no_grad():
        return model(x).softmax(1).gather(1, of[:, None]).squeeze(1)


@pytest.mark.parametrize("fill", FILLS)
def test_insertion_leads_from_the_filled_image_to_the_image(fill: Fill) -> None:
    model, x = smooth(channels=2), images(5, 2, 6, 6)
    maps = _maps(x)
    case = _case(model, x, maps)
    curve = Insertion(7, fill).on(model, case.batch, case.of, maps=maps).columns["curve"]
    assert curve.shape == (5, 8)
    assert torch.allclose(curve[:, 0], _probability(model, filled(case, fill), case.of))
    assert torch.allclose(curve[:, -1], _probability(model, x, case.of))


@pytest.mark.parametrize("fill", FILLS)
def test_deletion_leads_from_the_image_to_the_filled_image(fill: Fill) -> None:
    model, x = smooth(channels=2), images(5, 2, 6, 6)
    maps = _maps(x)
    case = _case(model, x, maps)
    curve = Deletion(7, fill).on(model, case.batch, case.of, maps=maps).columns["curve"]
    assert torch.allclose(curve[:, 0], _probability(model, x, case.of))
    assert torch.allclose(curve[:, -1], _probability(model, filled(case, fill), case.of))


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("of_probability", [True, False])
def test_insertion_backwards_is_deletion_of_the_map_turned_round(fill: Fill, of_probability: bool) -> None:
    model, x = smooth(channels=2), images(5, 2, 6, 6)
    maps = _maps(x)
    insertion = Insertion(12, fill, of_probability=of_probability)(model, x, maps=maps)
    deletion = Deletion(12, fill, of_probability=of_probability)(model, x, maps=-maps)
    assert torch.allclose(insertion.columns["curve"].flip(1), deletion.columns["curve"], rtol=0, atol=1e-12)
    assert torch.allclose(insertion.value, deletion.value, rtol=0, atol=1e-12)


def test_the_value_is_the_mean_of_the_curve() -> None:
    model, x = smooth(), images(5, 1, 6, 6)
    for metric in (Insertion(5), Deletion(5), Insertion(5, compat="official")):
        found = metric(model, x, maps=_maps(x))
        assert torch.allclose(found.value, found.columns["curve"].mean(1))
    assert found.columns["curve"].shape == (5, 5)


def test_deletion_of_a_linear_network_falls_as_the_sorted_contributions_say() -> None:
    model, x = linear(pixels=16), images(4, 1, 4, 4)
    case = _case(model, x)
    weight = _weight(model)[case.of]
    contributions = weight * x.flatten(1)
    found = Deletion(16, 0.0, of_probability=False)(model, x, case.of, maps=contributions.view_as(x))
    whole = case.logits(x).gather(1, case.of[:, None])
    gone = contributions.sort(1, descending=True).values.cumsum(1)
    expected = torch.cat([whole, whole - gone], 1)
    assert torch.allclose(found.columns["curve"], expected)
    # no other order falls faster, and the opposite one falls slowest
    for seed in range(3):
        other = Deletion(16, 0.0, of_probability=False)(model, x, case.of, maps=_maps(x, seed)).columns["curve"]
        worst = Deletion(16, 0.0, of_probability=False)(model, x, case.of, maps=-contributions.view_as(x))
        assert bool((other >= expected - 1e-12).all())
        assert bool((other <= worst.columns["curve"] + 1e-12).all())


@settings(max_examples=8)
@given(steps=st.integers(1, 40), scale=st.floats(0.01, 100), shift=st.floats(-5, 5))
def test_only_the_order_of_a_map_counts(steps: int, scale: float, shift: float) -> None:
    model, x = smooth(), images(3, 1, 6, 6)
    maps = _maps(x)
    for metric in (Insertion(steps), Deletion(steps), PixelFlipping(steps)):
        one, other = metric(model, x, maps=maps), metric(model, x, maps=scale * maps + shift)
        assert torch.equal(one.columns["curve"], other.columns["curve"])


@pytest.mark.parametrize("ties", ["random", "first", "together"])
def test_places_are_those_of_a_descending_sort(ties: Ties) -> None:
    values = images(4, 5, 6)
    place = places(values, Noise(0, torch.arange(4)), ties)
    expected = values.flatten(1).argsort(1, descending=True).argsort(1).view_as(values)
    assert torch.equal(place, expected)


def test_equal_pixels_come_in_any_order_but_each_once() -> None:
    values = images(4, 5, 6).mul(3).round()
    noise = Noise(0, torch.arange(4))
    for ties in ("random", "first"):
        place = places(values, noise, ties).flatten(1)
        assert torch.equal(place.sort(1).values, torch.arange(30).expand(4, 30))
        ordered = torch.empty_like(values.flatten(1)).scatter_(1, place, values.flatten(1))
        assert bool((ordered.diff(dim=1) <= 0).all())
    flat = torch.zeros(4, 5, 6)
    assert torch.equal(places(flat, noise, "first").flatten(1), torch.arange(30).expand(4, 30))
    drawn = places(flat, noise).flatten(1)
    assert len(drawn.unique(dim=0)) == 4
    assert not torch.equal(drawn, places(flat, Noise(1, torch.arange(4))).flatten(1))
    assert bool((places(flat, noise, "together") == 29).all())


def test_where_a_pixel_lies_does_not_say_when_it_comes_among_its_equals() -> None:
    place = places(torch.zeros(2000, 2, 3), Noise(0, torch.arange(2000))).double().flatten(1)
    assert not any(strays(pixel.tolist(), 2.5) for pixel in place.T)


def test_exchanging_equal_pixels_changes_nothing() -> None:
    model, x = smooth(), images(3, 1, 6, 6)
    maps = _maps(x).mul(2).round()
    one = Insertion(6)(model, x, maps=maps)
    two = Insertion(6)(model, x, maps=maps.clone())
    assert torch.equal(one.value, two.value)
    assert not torch.equal(one.value, Insertion(6)(model, x, maps=maps, seed=1).value)


def test_a_constant_map_puts_pixels_in_no_order() -> None:
    model, x = smooth(), images(3, 1, 6, 6)
    maps = _maps(x)
    maps[1] = 0.5
    metrics: list[Metric] = [Insertion(2), Deletion(2), PixelFlipping(9), ROAD((50.0,)), FaithfulnessCorrelation(5)]
    for metric in metrics:
        assert metric(model, x, maps=maps).defined.tolist() == [True, False, True]


def test_the_official_curve_of_a_constant_map_stays_where_it_begins() -> None:
    model, x = smooth(), images(3, 1, 6, 6)
    found = Insertion(compat="official")(model, x, maps=torch.ones_like(x))
    nothing = _probability(model, torch.zeros_like(x), found.of)
    assert bool(found.defined.all())
    assert found.columns["curve"].shape == (3, 20)
    assert torch.allclose(found.columns["curve"], nothing[:, None].expand(3, 20))


def test_the_official_curve_shows_only_what_is_above_the_value_at_its_rank() -> None:
    model, x = smooth(), images(4, 1, 6, 6)
    maps = _maps(x).mul(2).round()
    found = Insertion(compat="official")(model, x, maps=maps)
    for step in range(20):
        cut = maps.flatten(1).sort(1, descending=True).values[:, math.floor(step / 20 * 36)]
        shown = torch.where(maps > cut[:, None, None, None], x, 0)
        assert torch.allclose(found.columns["curve"][:, step], _probability(model, shown, found.of))


def test_zero_is_what_the_network_takes_for_one() -> None:
    x = images(2, 3, 4, 4)
    normalize = Normalize([0.5, 0.25, 0.1], [1, 2, 3]).double()
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = nn.Sequential(normalize, nn.Flatten(), nn.Linear(48, 3)).double()
    shown = filled(_case(model, x), "zero")
    assert shown.shape == x.shape
    assert bool((normalize(shown) == 0).all())
    assert bool((filled(_case(smooth(channels=3, size=4), x), "zero") == 0).all())


def test_pixels_are_flipped_so_many_at_a_time_and_the_last_few_together() -> None:
    model, x = smooth(channels=2), images(3, 2, 6, 6)
    maps = _maps(x)
    found = PixelFlipping(10, 0.5)(model, x, maps=maps)
    curve = found.columns["curve"]
    assert curve.shape == (3, 4)
    assert torch.allclose(curve[:, -1], _probability(model, torch.full_like(x, 0.5), found.of))
    first = places(maps.sum(1), Noise(0, torch.arange(3))) < 10
    shown = torch.where(first[:, None], 0.5, x)
    assert torch.allclose(curve[:, 0], _probability(model, shown, found.of))
    expected = (curve[:, 0] / 2 + curve[:, 1] + curve[:, 2] + curve[:, 3] / 2) / 3
    assert torch.allclose(found.value, expected)
    once = PixelFlipping(36, 0.5)(model, x, maps=maps)
    assert torch.allclose(once.value, once.columns["curve"][:, 0])


@pytest.mark.parametrize("change", ["noise", "square"])
@pytest.mark.parametrize("scaled", [False, True])
def test_a_linear_network_keeps_to_its_gradient(change: str, scaled: bool) -> None:
    model, x = linear(pixels=32), images(3, 2, 4, 4)
    metric = Infidelity(20, "noise" if change == "noise" else "square", side=2, scaled=scaled)
    assert float(metric(model, x, explainer=Gradient()).value.max()) < 1e-24
    assert float(metric(model, x, maps=_maps(x)).value.min()) > 1e-4


def test_a_scale_matters_only_where_it_is_not_fitted() -> None:
    model, x = smooth(), images(3, 1, 6, 6)
    maps = _maps(x)
    one, ten = Infidelity(20)(model, x, maps=maps).value, Infidelity(20)(model, x, maps=10 * maps).value
    assert bool((ten > one).all())
    one, ten = (Infidelity(20, scaled=True)(model, x, maps=factor * maps).value for factor in (1, 10))
    assert torch.allclose(one, ten)
    nothing = Infidelity(20)(model, x, maps=torch.zeros_like(x))
    assert torch.allclose(nothing.value, nothing.columns["fell"].square().mean(1))
    # the best scale is no worse than any other, none among them
    assert bool((one <= nothing.value + 1e-15).all())


def test_squares_lie_anywhere_and_are_whole() -> None:
    x = images(2, 2, 5, 5) * 0.5 + 0.25
    metric = Infidelity(200, "square", side=3, fill=0.0)
    taken = metric.changes(_case(smooth(channels=2, size=5), x))
    image, number = torch.arange(400) % 2, torch.arange(400) // 2
    change = taken(image, number)
    covered = (change != 0).all(1)
    assert bool((covered.flatten(1).sum(1) == 9).all())
    assert len(covered.flatten(1).unique(dim=0)) == 9
    assert torch.equal(change, x[image] * covered[:, None])


def test_the_correlation_of_a_linear_network_with_its_contributions_is_one() -> None:
    model, x = linear(pixels=16), images(4, 1, 4, 4)
    of = _case(model, x).of
    contributions = (_weight(model)[of] * x.flatten(1)).view_as(x)
    metric = FaithfulnessCorrelation(30)
    assert torch.allclose(metric(model, x, of, maps=contributions).value, torch.ones(4).double())
    assert torch.allclose(metric(model, x, of, maps=-3 * contributions).value, -torch.ones(4).double())


def test_every_sample_takes_as_many_pixels_and_others() -> None:
    case = _case(smooth(), images(2, 1, 6, 6))
    gone = FaithfulnessCorrelation(share=0.25).gone(case, torch.arange(100) % 2, torch.arange(100) // 2).flatten(1)
    assert bool((gone.sum(1) == 9).all())
    assert len(gone.unique(dim=0)) == 100


def test_road_compares_the_two_ends_of_a_map() -> None:
    model, x = smooth(seed=3), images(6, 1, 6, 6)
    maps = _maps(x)
    found, turned = (ROAD((20.0, 50.0, 80.0), noise=0.3)(model, x, maps=sign * maps) for sign in (1, -1))
    assert torch.equal(found.columns["most_first"], turned.columns["least_first"])
    assert torch.equal(found.value, -turned.value)
    kept = found.columns["least_first"].double() - found.columns["most_first"].double()
    assert torch.allclose(found.value, kept.mean(1))


def test_passes_are_full_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = smooth(), images(10, 1, 6, 6)
    rows: list[int] = []
    model.register_forward_hook(lambda _module, inputs, _output: rows.append(len(inputs[0])))
    found = Insertion(20)(model, x, 0, maps=_maps(x))
    assert rows == [1, 64, 64, 64, 18], "the first tells how many classes there are"
    assert found.forwards == 211


class _Viewing(nn.Module):
    """A network that cannot take channels last, and counts what it is given."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            self.first = nn.Conv2d(2, 3, 3).double()
            self.last = nn.Linear(48, 4).double()
        self.given = 0

    def forward(self, x: Tensor) -> Tensor:
        self.given += 1
        return self.last(self.first(x).view(len(x), -1))


def test_a_network_that_cannot_take_channels_last_is_asked_once() -> None:
    model, x = _Viewing(), images(10, 2, 6, 6)
    found = Insertion(20, fill=0.0)(model, x, 0, maps=_maps(x))
    assert model.given == 6
    assert found.forwards == 211
    assert torch.allclose(found.columns["curve"][:, -1], _probability(model, x, found.of))


def test_answers_are_those_of_each_copy() -> None:
    model, x = smooth(), images(7, 1, 6, 6)
    case = _case(model, x)
    found = answers(case, 13, lambda image, number: x[image] * (number / 13)[:, None, None, None], logit)
    for number in range(13):
        expected = case.logits(x * (number / 13)).gather(1, case.of[:, None]).squeeze(1)
        assert torch.allclose(found[:, number], expected)


@pytest.mark.parametrize("metric", [Insertion(36, 0.0), Deletion(36, 0.0), PixelFlipping(1)])
def test_an_image_that_a_step_leaves_as_it_was_is_not_looked_at_again(metric: Metric) -> None:
    model, x = smooth(), images(4, 1, 6, 6)
    x[:, :, 1:] = 0
    found = metric(model, x, 0, maps=_maps(x))
    assert found.forwards <= 4 + 4 * 8
    place = places(_maps(x).squeeze(1), Noise(0, torch.arange(4)))
    for step, answer in enumerate(found.columns["curve"].unbind(1)):
        gone = place >= step if isinstance(metric, Insertion) else place < step + isinstance(metric, PixelFlipping)
        assert torch.allclose(answer, _probability(model, x.masked_fill(gone[:, None], 0), found.of))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Insertion(0), "insertion has steps=0; give 1 or more"),
        (lambda: Deletion(0), "deletion has steps=0; give 1 or more"),
        (
            lambda: Insertion(fill=2.0),
            "insertion has fill=2; give a number in [0, 1], 'zero', 'mean', 'blur', 'network-mean' or 'noise'",
        ),
        (lambda: PixelFlipping(0), "pixel-flipping has pixels=0; flip 1 or more at a step, or 'auto'"),
        (lambda: Infidelity(0), "infidelity has samples=0; give 1 or more"),
        (lambda: Infidelity(deviation=0.0), "infidelity has deviation=0; give a number above 0, 1 at most"),
        (lambda: Infidelity(side=0), "infidelity has side=0; give 1 pixel or more, or 'auto'"),
        (lambda: FaithfulnessCorrelation(1), "faithfulness-correlation has samples=1; give 2 or more"),
        (
            lambda: FaithfulnessCorrelation(share=1.0),
            "faithfulness-correlation has share=1; it is a part of all pixels, between 0 and 1",
        ),
        (lambda: ROAD((50.0, 100.0)), "road has percents=(50, 100); give one or more between 0 and 100"),
        (lambda: ROAD(()), "road has percents=(); give one or more between 0 and 100"),
        (lambda: ROAD(noise=-1.0), "road has noise=-1; give a deviation from 0 to 1"),
    ],
)
def test_settings_that_make_no_sense(make: "type[Metric]", message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        make()


def test_squares_larger_than_the_image() -> None:
    x = images(2, 1, 6, 6)
    message = "infidelity has side=7 for images of 6 x 6; give 1 to 6 pixels, or 'auto'"
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        Infidelity(2, "square", side=7)(smooth(), x, maps=_maps(x))


@pytest.mark.parametrize("metric", [Infidelity(2), Insertion(2)])
def test_images_without_places(metric: Metric) -> None:
    model, x = linear(pixels=9), images(2, 9)
    name = "maps are (9,) each; they must be (channels, height, width)"
    if isinstance(metric, Infidelity):
        name = "infidelity reads images of (channels, height, width); these are (9,)"
    with pytest.raises(ShapeError, match=f"^{re.escape(name)}$"):
        metric(model, x, maps=_maps(x))


@pytest.mark.parametrize(
    ("side", "pixels", "square"), [(3, 16, 3), (8, 16, 4), (32, 16, 4), (33, 18, 4), (224, 784, 28), (512, 4096, 64)]
)
def test_settings_in_pixels_follow_the_image(side: int, pixels: int, square: int) -> None:
    shape = (3, side, side)
    assert PixelFlipping().resolved(shape).pixels == pixels
    assert Infidelity().resolved(shape).side == square
    assert PixelFlipping(5).resolved(shape) == PixelFlipping(5)
    assert Infidelity(side=2).resolved(shape) == Infidelity(side=2)


def test_pixels_are_flipped_in_64_steps_at_the_most() -> None:
    x = images(1, 1, 40, 50)
    found = PixelFlipping(fill=0.5)(linear(pixels=2000), x, maps=_maps(x))
    assert found.columns["curve"].shape == (1, 63), "of 32 pixels each"
    assert found.forwards <= 64
