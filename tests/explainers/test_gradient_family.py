import math
import re
from collections.abc import Callable
from typing import Literal, get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from networks import Counting, images, linear, smooth
from pellucid.errors import ConfigError, MeasurementError, PixelError, ShapeError
from pellucid.evaluate.explanations.passes import counted
from pellucid.explainers import (
    ExpectedGradients,
    Explainer,
    Explanation,
    Gradient,
    InputTimesGradient,
    IntegratedGradients,
    Smooth,
    SmoothGrad,
    SmoothGradSquared,
    VarGrad,
    completeness,
)
from pellucid.explainers.baseline import Baseline, baseline_of
from pellucid.explainers.integrated_gradients import Quadrature, nodes
from pellucid.probe import Probe

X, Y = images(5, 1, 6, 6), torch.tensor([0, 1, 2, 3, 0])
OTHERS = images(9, 1, 6, 6, seed=4)
EXACT = IntegratedGradients(steps=60, rule="gauss-legendre", tolerance=math.inf)


def kinked() -> nn.Module:
    """A network of ReLUs."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(144, 8), nn.ReLU(), nn.Linear(8, 4)
        ).double()


def relative(found: Tensor, exact: Tensor) -> float:
    return float((found - exact).norm() / exact.norm())


def rise(model: nn.Module, start: Tensor) -> Tensor:
    with torch.no_grad():
        return (model(X) - model(start)).gather(1, Y[:, None])[:, 0]


# ---- baselines and rules


def test_baselines_are_what_they_are_called() -> None:
    x = images(3, 2, 7, 5)
    assert torch.equal(baseline_of(x, 0.25, linear()), torch.full_like(x, 0.25))
    assert torch.allclose(baseline_of(x, "mean", linear())[:, :, 3, 1], x.mean((2, 3)))
    flat = torch.full_like(x, 0.7)
    assert torch.allclose(baseline_of(flat, "blur", linear()), flat), "also at the edge"
    point = torch.zeros(1, 1, 33, 33, dtype=torch.float64)
    point[..., 16, 16] = 1
    blurred = baseline_of(point, "blur", linear())[0, 0]
    near = torch.arange(-6, 7, dtype=torch.float64)  # farther out the edge is felt
    window = torch.exp(-near.square() / (2 * (33 / 8) ** 2))
    assert torch.allclose(blurred[16, 10:23] / blurred[16, 16], window, rtol=0.01)
    assert torch.allclose(blurred, blurred.T)


@given(st.sampled_from(get_args(Quadrature)), st.integers(2, 40))
def test_the_weights_of_a_rule_sum_to_one_and_it_looks_at_the_way_alone(rule: Quadrature, steps: int) -> None:
    at, weights = nodes(rule, steps)
    assert len(at) == len(weights) == steps
    assert sum(weights) == pytest.approx(1)
    assert all(weight > 0 for weight in weights)
    assert min(at) >= 0 and max(at) <= 1 and sorted(at) == list(at)


# ---- identities


@settings(max_examples=30)
@given(
    st.floats(0, 1) | st.sampled_from(("mean", "blur")),
    st.integers(2, 7),
    st.sampled_from(get_args(Quadrature)),
)
def test_of_a_linear_model_maps_are_weights_times_ways(baseline: Baseline, steps: int, rule: Quadrature) -> None:
    model, x, y = linear(), images(3, 1, 3, 3), torch.tensor([3, 1, 0])
    weight = model.get_parameter("1.weight")[y].view_as(x)
    product = weight * (x - baseline_of(x, baseline, model))
    assert torch.allclose(InputTimesGradient(baseline)(model, x, y).map, product)
    integrated = IntegratedGradients(baseline, steps, rule)
    assert torch.allclose(integrated(model, x, y).map, product)
    bare = IntegratedGradients(baseline, steps, rule, times_input=False)
    assert torch.allclose(bare(model, x, y).map, weight)


def test_of_a_linear_model_gradients_do_not_vary() -> None:
    model, x, y = linear(), images(3, 1, 3, 3), torch.tensor([3, 1, 0])
    weight = model.get_parameter("1.weight")[y].view_as(x)
    assert torch.allclose(VarGrad(samples=4)(model, x, y).map, torch.zeros_like(x))
    assert torch.allclose(SmoothGradSquared(samples=4)(model, x, y).map, weight.square())
    starts = images(6, 1, 3, 3, seed=2)
    expected = ExpectedGradients(samples=3000).fit(model, starts)(model, x, y).map
    assert torch.allclose(expected, weight * (x - starts.mean(0)), atol=0.01)


@pytest.mark.parametrize("network", [smooth, kinked])
@pytest.mark.parametrize("baseline", [0.0, 0.4, "mean", "blur"])
def test_integrated_gradients_are_complete(network: Callable[[], nn.Module], baseline: Baseline) -> None:
    model = network()
    found = IntegratedGradients(baseline, steps=100)(model, X, Y)
    about = completeness(model, X, found, baseline)
    assert torch.allclose(about.due, rise(model, baseline_of(X, baseline, model)))
    assert torch.allclose(about.total, found.map.sum((1, 2, 3)))
    assert torch.equal(about.gap, about.total - about.due)
    assert relative(about.total, about.due) < (1e-4 if network is smooth else 0.02)


@pytest.mark.parametrize(("rule", "order"), [("left", 1), ("right", 1), ("midpoint", 2), ("trapezoid", 2)])
def test_gaps_shrink_at_the_rate_of_the_rule(rule: Quadrature, order: int) -> None:
    model = nn.Sequential(smooth(), nn.Tanh(), nn.Linear(4, 4).double())

    def gap(steps: int) -> float:
        panels = steps + (rule == "trapezoid")
        found = IntegratedGradients(0.0, panels, rule, math.inf)(model, X, Y)
        return float(completeness(model, X, found).gap.abs().max())

    assert gap(16) / gap(32) == pytest.approx(2**order, rel=0.15)
    exact = IntegratedGradients(0.0, 12, "gauss-legendre", math.inf)(model, X, Y)
    assert float(completeness(model, X, exact).gap.abs().max()) < 1e-9


def test_a_kinked_network_without_biases_is_complete_by_its_gradient() -> None:
    model = kinked()
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.zeros_(layer.bias)  # pyright: ignore[reportArgumentType]
    found = InputTimesGradient()(model, X, Y)
    assert torch.allclose(completeness(model, X, found).gap, torch.zeros(5, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(found.map, IntegratedGradients()(model, X, Y).map)


def test_networks_that_compute_the_same_have_the_same_maps() -> None:
    model = smooth()
    twin = nn.Sequential(smooth(), nn.Linear(4, 4, bias=False).double(), nn.Linear(4, 4, bias=False).double())
    turn = torch.linalg.qr(images(4, 4)).Q
    twin.get_parameter("1.weight").data.copy_(turn)
    twin.get_parameter("2.weight").data.copy_(turn.T)
    learned = ExpectedGradients(samples=5).fit(model, OTHERS)
    for explainer in (IntegratedGradients(steps=5), learned, VarGrad(4), SmoothGradSquared(4), InputTimesGradient()):
        assert torch.allclose(explainer(twin, X, Y).map, explainer(model, X, Y).map, atol=1e-10)


def test_the_order_of_the_way_does_not_matter() -> None:
    """From the image to the baseline the gradients are the same ones."""
    model = smooth()
    whole = IntegratedGradients(0.3, 4, tolerance=math.inf, times_input=False)(model, X, Y).map
    by_hand = torch.zeros_like(X)
    for place in (0.125, 0.375, 0.625, 0.875):
        by_hand += Gradient()(model, 0.3 + place * (X - 0.3), Y).map / 4
    assert torch.allclose(whole, by_hand)


# ---- steps as many as are needed


def steep(slope: float) -> nn.Module:
    """A network one of whose logits rises from 0 to 1 at once, where the mean of the pixels passes 0.2."""

    class Steep(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            mean = x.flatten(1).mean(1, keepdim=True)
            return torch.cat([10 * mean, torch.sigmoid(slope * (mean - 0.2))], 1)

    return Steep()


def flat(*values: float) -> Tensor:
    """Images of one value each."""
    return torch.stack([torch.full((1, 4, 4), value, dtype=torch.float64) for value in values])


def test_steps_are_doubled_for_the_images_that_need_it() -> None:
    model, x, of = Counting(steep(300)), flat(0.1, 0.9, 0.6), torch.tensor([1, 1, 0])
    loose = IntegratedGradients(steps=32, tolerance=math.inf)(model, x, of)
    passes = model.forwards
    tight = IntegratedGradients(steps=32, tolerance=0.05)(model, x, of)
    assert float(completeness(steep(300), x, loose).gap.abs()[1]) > 0.5
    assert float(completeness(steep(300), x, tight).gap.abs()[1]) < 0.05
    assert torch.equal(tight.map[[0, 2]], loose.map[[0, 2]])
    assert model.forwards == 2 * passes + 1, "64 rows of the second image, and the logits at the baseline"
    for number in range(3):
        rows = slice(number, number + 1)
        alone = IntegratedGradients(steps=32, tolerance=0.05)(model, x[rows], of[rows])
        assert torch.allclose(alone.map[0], tight.map[number])


def test_what_stays_incomplete_is_an_error() -> None:
    message = (
        "IntegratedGradients is not complete for 1 of 2 images: with 32 steps the sum of a map is still off by up to "
        "0.999; give more steps, or a larger tolerance"
    )
    with pytest.raises(MeasurementError, match=f"^{re.escape(message)}$"):
        IntegratedGradients(steps=1)(steep(1000), flat(0.1, 0.9), 1)


def test_where_the_logit_hardly_rises_the_sum_need_not_be_near_in_terms_of_that() -> None:
    model = kinked()
    found = IntegratedGradients(steps=20)(model, X, Y)
    about = completeness(model, X, found)
    allowed = 0.05 * torch.maximum(about.due.abs(), found.map.abs().sum((1, 2, 3)) / 10)
    assert bool((about.gap.abs() <= allowed + 1e-12).all())


def test_an_image_that_is_its_baseline_has_an_empty_map() -> None:
    x = torch.full((2, 1, 6, 6), 0.5, dtype=torch.float64)
    assert not IntegratedGradients(0.5)(smooth(), x, 0).map.any()


# ---- statistics


class Noisy(Explainer):
    """Maps that are the images themselves."""

    def maps(self, probe: Probe, of: Tensor, rows: int) -> Tensor:
        return probe.x.detach()


@pytest.mark.parametrize("memory", [1, None])
def test_statistics_are_those_of_torch(memory: int | None) -> None:
    def smoothed(statistic: Literal["mean", "variance", "mean-square"], samples: int) -> Tensor:
        return Smooth(Noisy(), samples, 0.3, statistic=statistic)(smooth(), X, Y, memory=memory).map

    means = [smoothed("mean", samples) for samples in range(1, 8)]
    copies = [means[0], *(mean * (n + 1) - means[n - 1] * n for n, mean in enumerate(means) if n)]
    every = torch.stack(copies)
    assert torch.allclose(smoothed("variance", 7), torch.var(every, 0, correction=0))
    assert torch.allclose(smoothed("mean-square", 7), every.square().mean(0))
    assert torch.allclose(smoothed("variance", 1), torch.zeros_like(X), atol=1e-30)


def test_the_three_statistics_agree() -> None:
    model = smooth()
    variance = VarGrad(12)(model, X, Y, seed=1).map
    square = SmoothGradSquared(12)(model, X, Y, seed=1).map
    mean = SmoothGrad(12, clean=False, clip=False)(model, X, Y, seed=1).map
    assert torch.allclose(square, variance + mean.square())
    assert bool((variance >= 0).all()) and bool((square >= 0).all())
    assert not VarGrad(sigma=0)(model, X, Y).map.any()
    assert torch.allclose(SmoothGradSquared(sigma=0)(model, X, Y).map, Gradient()(model, X, Y).map.square())
    assert not VarGrad(sigma=0).random and not SmoothGradSquared(sigma=0).random


@pytest.mark.parametrize(
    "inner",
    [Gradient(), InputTimesGradient(0.5), IntegratedGradients("blur", 3), VarGrad(3), SmoothGradSquared(3)],
)
def test_one_copy_without_noise_is_the_explainer_inside(inner: Explainer) -> None:
    model = smooth()
    if not inner.random:
        assert torch.allclose(Smooth(inner, 1, 0.0)(model, X, Y).map, inner(model, X, Y).map)
    assert torch.allclose(Smooth(inner, 1, 0.0, statistic="variance")(model, X, Y).map, torch.zeros_like(X))


# ---- expected gradients


def test_one_start_and_many_samples_are_integrated_gradients() -> None:
    model, start = smooth(), torch.full((1, 1, 6, 6), 0.3, dtype=torch.float64)
    exact = IntegratedGradients(0.3)(model, X, Y).map
    one, many = (
        relative(ExpectedGradients(samples).fit(model, start)(model, X, Y).map, exact) for samples in (10, 160)
    )
    assert many < one / 16, "places that each have their own part of the way converge faster than by the root"
    assert many < 1e-3


def test_they_add_up_to_the_logit_above_its_mean_at_the_starts() -> None:
    model = smooth()
    learned = ExpectedGradients(2000).fit(model, OTHERS)
    about = completeness(model, X, learned(model, X, Y), OTHERS)
    mean = model(OTHERS).mean(0)[Y]
    assert torch.allclose(about.due, model(X).gather(1, Y[:, None])[:, 0] - mean)
    assert relative(about.total, about.due) < 0.05


def test_what_is_kept_is_drawn_by_the_seed() -> None:
    model = smooth()
    few = ExpectedGradients(background=4)
    kept = few.fit(model, OTHERS, seed=1).kept
    assert kept is not None and len(kept) == 4
    assert all(any(torch.equal(image, other) for other in OTHERS) for image in kept)
    assert len(torch.unique(kept, dim=0)) == 4
    again, other = few.fit(model, OTHERS, seed=1).kept, few.fit(model, OTHERS, seed=2).kept
    assert again is not None and other is not None
    assert torch.equal(again, kept) and not torch.equal(other, kept)
    everything = ExpectedGradients().fit(model, OTHERS).kept
    assert everything is not None and torch.equal(everything, OTHERS)
    assert few.kept is None and few.learns


def test_around_what_learns_smooth_learns() -> None:
    model = smooth()
    around = Smooth(ExpectedGradients(5), samples=1, sigma=0.1)
    assert around.learns
    ready = around.fit(model, OTHERS)
    assert not ready.learns and around.learns
    assert isinstance(ready, Smooth) and isinstance(ready.explainer, ExpectedGradients)
    assert ready(model, X, Y).map.shape == X.shape


# ---- passes


@pytest.mark.parametrize(
    ("explainer", "forwards"),
    [
        (InputTimesGradient(), 1),
        (VarGrad(24), 1 + 2),
        (SmoothGradSquared(24), 1 + 2),
        # and the logits where they start, for what a map is due to add up to
        (IntegratedGradients(steps=24, tolerance=math.inf), 1 + 2 + 1),
        (IntegratedGradients(steps=24), 1 + 2 + 1),
        (ExpectedGradients(24).fit(smooth(), OTHERS), 1 + 2 + 1),
    ],
)
def test_passes_are_as_few_as_can_be(explainer: Explainer, forwards: int) -> None:
    model = Counting(smooth())
    explainer(model, X, Y)
    assert model.forwards == forwards, "12 copies of 5 images are near enough to 64 rows"


def test_maps_can_be_trained_on() -> None:
    model = smooth()
    for explainer in (IntegratedGradients(steps=3), ExpectedGradients(3).fit(model, OTHERS), VarGrad(3)):
        model.zero_grad()
        explainer(model, X, Y, create_graph=True).map.square().sum().backward()
        assert all(parameter.grad is not None for name, parameter in model.named_parameters() if "weight" in name)


# ---- what is refused


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: InputTimesGradient(1.5),
            ConfigError,
            "InputTimesGradient has baseline=1.5; give a number in [0, 1], 'mean', 'blur' or 'network-mean'",
        ),
        (
            lambda: IntegratedGradients(steps=1, rule="trapezoid"),
            ConfigError,
            "IntegratedGradients has steps=1; the rule 'trapezoid' needs 2 or more",
        ),
        (
            lambda: IntegratedGradients(tolerance=0.0),
            ConfigError,
            "IntegratedGradients has tolerance=0; give a part of the rise, in (0, 1], or inf",
        ),
        (lambda: VarGrad(0), ConfigError, "Smooth has samples=0; give 1 or more"),
        (
            lambda: SmoothGradSquared(sigma=-1),
            ConfigError,
            "Smooth has sigma=-1; a deviation is 0 or more, in [0, 1] pixel units",
        ),
        (lambda: ExpectedGradients(samples=0), ConfigError, "ExpectedGradients has samples=0; give 1 or more"),
        (lambda: ExpectedGradients(background=0), ConfigError, "ExpectedGradients has background=0; give 1 or more"),
        (
            lambda: ExpectedGradients()(smooth(), X, Y),
            ConfigError,
            "this ExpectedGradients has no images to start from; "
            "call fit(model, images) on it, and explain with what that returns",
        ),
        (
            lambda: ExpectedGradients().fit(smooth(), OTHERS[:0]),
            ShapeError,
            "the background has no images; give one or more",
        ),
        (
            lambda: ExpectedGradients().fit(smooth(), OTHERS + 1),
            PixelError,
            f"the background has pixels from {float(OTHERS.min()) + 1:.4g} to {float(OTHERS.max()) + 1:.4g}; "
            "they must lie in [0, 1]: divide by 255, and put normalization inside the model",
        ),
        (
            lambda: ExpectedGradients().fit(smooth(), images(2, 1, 5, 5))(smooth(), X, Y),
            ShapeError,
            "images are (1, 6, 6) and those that ExpectedGradients starts from (1, 5, 5); "
            "fit it on images of the same shape",
        ),
    ],
)
def test_what_is_refused(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        make()


def test_completeness_speaks_of_any_map() -> None:
    model = smooth()
    nothing = Explanation(torch.zeros_like(X), Y)
    about = completeness(model, X, nothing, 0.5)
    assert torch.equal(about.gap, -about.due)


@pytest.mark.parametrize("network", [smooth, kinked])
@pytest.mark.parametrize("steps", [1, 4, 20, 60])
def test_what_integrated_gradients_take_is_foretold(network: Callable[[], nn.Module], steps: int) -> None:
    model, explainer = network(), IntegratedGradients(steps=steps)
    told = explainer.as_dear(model, OTHERS)
    assert told.tolerance == math.inf and told.as_dear(model, OTHERS) is told
    with counted(model) as passes:
        explainer(model, OTHERS, "predicted")
    took = passes.backwards / len(OTHERS)
    assert steps <= told.steps and 0.5 < told.steps / took < 2
    around = SmoothGrad(samples=3).as_dear(model, OTHERS)
    assert around == SmoothGrad(samples=3)
    assert Smooth(explainer, 3).as_dear(model, OTHERS) == Smooth(told, 3)
