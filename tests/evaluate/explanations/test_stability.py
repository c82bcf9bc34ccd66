"""Maps under a little noise: closed forms, what must not matter, and what it costs."""

import math
import re
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.networks import images, linear, smooth
from torch import Tensor, nn

from pellucid.errors import ConfigError
from pellucid.evaluate.explanations import METRICS, LocalLipschitz, MaxSensitivity, Metric, RandomSimilarity
from pellucid.explainers import Explainer, Gradient, InputTimesGradient, SmoothGrad
from pellucid.metrics.agreement import SSIM, Cosine, Pearson, Spearman, planes, scaled
from pellucid.norms import Linf
from pellucid.randomness import Noise

EPS = 0.3
ALL: list[Metric] = [
    RandomSimilarity(EPS, 4),
    RandomSimilarity(EPS, 4, SSIM(3)),
    MaxSensitivity(EPS, 4),
    LocalLipschitz(EPS, 4),
]


class Quadratic(nn.Module):
    """Two logits, of which the first is half of x H x."""

    def __init__(self, pixels: int) -> None:
        super().__init__()
        root = torch.randn(pixels, pixels, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        self.hessian = nn.Parameter(root + root.T)

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(1)
        return torch.stack([0.5 * ((flat @ self.hessian) * flat).sum(1), flat.sum(1)], 1)


def neighbors(x: Tensor, eps: float, draws: int, *, seed: int = 0) -> list[Tensor]:
    noise = Noise(seed, torch.arange(len(x)))
    return [(x + Linf().random(x, eps, noise.stream("neighbour", number))).clamp(0, 1) for number in range(draws)]


def multiplied(model: nn.Module, factor: float) -> nn.Module:
    last = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
    with torch.no_grad():
        last.weight.mul_(factor)
        last.bias.mul_(factor)
    return model


@pytest.mark.parametrize(("metric", "perfect"), list(zip(ALL, (1, 1, 0, 0), strict=True)), ids=repr)
def test_a_linear_network_is_explained_the_same_everywhere(metric: Metric, perfect: float) -> None:
    found = metric(linear(), images(5, 1, 3, 3), explainer=Gradient())
    assert found.value.tolist() == pytest.approx([perfect] * 5, abs=1e-12)


@pytest.mark.parametrize(
    ("explainer", "draws"),
    # 70 are more than a pass holds
    [(Gradient(), 1), (Gradient(), 70), (SmoothGrad(3), 4), (InputTimesGradient(), 4)],
    ids=repr,
)
def test_packed_draws_are_those_one_by_one(explainer: Explainer, draws: int) -> None:
    model, x = smooth(channels=2), images(3, 2, 6, 6)
    own = explainer(model, x, 1, seed=5).map
    others = [explainer(model, near, 1, seed=5).map for near in neighbors(x, EPS, draws, seed=5)]

    alike = torch.stack([Pearson()(planes(own, "absolute"), planes(map_, "absolute")) for map_ in others], 1)
    found = RandomSimilarity(EPS, draws)(model, x, 1, explainer=explainer, seed=5)
    assert torch.allclose(found.value, alike.mean(1), atol=1e-10)
    assert torch.allclose(found.columns["lowest"], alike.amin(1), atol=1e-10)
    spread = alike.std(1) if draws > 1 else torch.zeros(3, dtype=torch.float64)
    assert torch.allclose(found.columns["spread"], spread, atol=1e-10)

    moved = torch.stack([(planes(map_) - planes(own)).flatten(1).norm(dim=1) for map_ in others], 1)
    relative = moved / planes(own).flatten(1).norm(dim=1)[:, None]
    sensitivity = MaxSensitivity(EPS, draws, "signed")(model, x, 1, explainer=explainer, seed=5)
    assert torch.allclose(sensitivity.value, relative.amax(1), atol=1e-10)
    assert torch.allclose(sensitivity.columns["mean"], relative.mean(1), atol=1e-10)

    ways = torch.stack([(near - x).flatten(1).norm(dim=1) for near in neighbors(x, EPS, draws, seed=5)], 1)
    lipschitz = LocalLipschitz(EPS, draws, "signed", "none")(model, x, 1, explainer=explainer, seed=5)
    assert torch.allclose(lipschitz.value, (moved / ways).amax(1), atol=1e-10)
    assert torch.allclose(lipschitz.columns["mean"], (moved / ways).mean(1), atol=1e-10)


@pytest.mark.parametrize("draws", [1, 10])
def test_it_costs_an_explanation_more_than_there_are_draws(draws: int) -> None:
    for metric in (RandomSimilarity(EPS, draws), MaxSensitivity(EPS, draws), LocalLipschitz(EPS, draws)):
        found = metric(smooth(), images(9, 1, 6, 6), explainer=Gradient())
        assert found.backwards == 9 * (draws + 1)
        assert found.forwards == 9 * (draws + 1)


@pytest.mark.parametrize("metric", ALL, ids=repr)
@pytest.mark.parametrize("factor", [0.1, 7.0])
def test_a_factor_of_the_last_layer_does_not_matter(metric: Metric, factor: float) -> None:
    x = images(4, 1, 6, 6)
    found = metric(smooth(), x, explainer=Gradient()).value
    assert torch.allclose(metric(multiplied(smooth(), factor), x, explainer=Gradient()).value, found, atol=1e-12)


def test_but_it_does_to_the_change_of_maps_as_they_are() -> None:
    metric, x = LocalLipschitz(EPS, 4, scale="none"), images(4, 1, 6, 6)
    found = metric(smooth(), x, explainer=Gradient()).value
    assert torch.allclose(metric(multiplied(smooth(), 7), x, explainer=Gradient()).value, 7 * found)


def test_maps_of_a_quadratic_network_change_by_its_hessian() -> None:
    model, x = Quadratic(9), 0.5 + 0.1 * images(4, 1, 3, 3)
    steps = torch.stack([(near - x).flatten(1) for near in neighbors(x, 0.2, 3)])
    changes = (steps @ model.hessian.detach()).norm(dim=2)
    lipschitz = LocalLipschitz(0.2, 3, "signed", "none")(model, x, 0, explainer=Gradient()).value
    assert torch.allclose(lipschitz, (changes / steps.norm(dim=2)).amax(0))
    assert bool((lipschitz <= torch.linalg.matrix_norm(model.hessian.detach(), 2)).all())
    sensitivity = MaxSensitivity(0.2, 3, "signed")(model, x, 0, explainer=Gradient()).value
    assert torch.allclose(sensitivity, changes.amax(0) / (x.flatten(1) @ model.hessian.detach()).norm(dim=1))


@settings(max_examples=6)
@given(seed=st.integers(0, 2**20), eps=st.floats(1e-3, 1), more=st.integers(2, 6))
def test_more_draws_find_no_smaller_a_maximum(seed: int, eps: float, more: int) -> None:
    model, x = smooth(), images(3, 1, 6, 6)
    for make in (MaxSensitivity, LocalLipschitz):
        few = make(eps, 1)(model, x, explainer=Gradient(), seed=seed)
        many = make(eps, more)(model, x, explainer=Gradient(), seed=seed)
        assert bool((many.value >= few.value - 1e-12).all())
        assert bool((many.value >= many.columns["mean"] - 1e-12).all())
    found = RandomSimilarity(eps, more)(model, x, explainer=Gradient(), seed=seed)
    assert bool((found.columns["lowest"] <= found.value + 1e-12).all())


def test_little_noise_changes_little() -> None:
    x = images(5, 1, 6, 6)

    def judged(metric: Metric) -> Tensor:
        return metric(smooth(), x, explainer=Gradient()).value

    assert bool((judged(RandomSimilarity(0.01)) > judged(RandomSimilarity(0.5))).all())
    assert bool((judged(MaxSensitivity(0.01)) < judged(MaxSensitivity(0.5))).all())


def test_copies_stay_images() -> None:
    class Watching(nn.Module):
        """A network that refuses what is no image, or too far from one half."""

        def forward(self, x: Tensor) -> Tensor:
            assert bool(((x >= 0) & (x <= 1)).all())
            return x.flatten(1).square()[:, :3]

    for value in (0.0, 0.02, 1.0):
        x = torch.full((2, 1, 3, 3), value, dtype=torch.float64)
        RandomSimilarity(0.5, 3)(Watching(), x, 0, explainer=Gradient())


@pytest.mark.parametrize("similarity", [Pearson(), Cosine(), Spearman()], ids=repr)
def test_the_published_change_of_scale_matters_to_ssim_alone(similarity: Pearson | Cosine | Spearman) -> None:
    model, x = smooth(size=8), images(3, 1, 8, 8)
    ours, official = (
        RandomSimilarity(EPS, 5, similarity, compat=compat)(model, x, explainer=Gradient()).value
        for compat in ("none", "official")
    )
    assert torch.allclose(ours, official, atol=1e-12)
    one, *rest = (
        RandomSimilarity(0.01, draws, SSIM(), compat="official")(model, x, explainer=Gradient()).value
        for draws in (1, 2, 10)
    )
    assert torch.allclose(one, RandomSimilarity(0.01, 1, SSIM())(model, x, explainer=Gradient()).value)
    assert bool((one > 0.9).all())
    for found, draws in zip(rest, (2, 10), strict=True):
        assert torch.allclose(found, one / draws, atol=0.06)


def test_ssim_as_published_sees_the_images_of_a_part_together() -> None:
    model, x = smooth(size=8), images(3, 1, 8, 8)
    own, near = (scaled(planes(Gradient()(model, each, 0).map, "signed")) for each in (x, *neighbors(x, EPS, 1)))
    similarity = SSIM(compat="official")
    found = RandomSimilarity(EPS, 1, similarity, "signed")(model, x, 0, explainer=Gradient()).value
    assert torch.allclose(found, similarity(near, own))
    assert not torch.allclose(found, similarity(own, near), rtol=1e-6)


def test_maps_are_brought_to_scale() -> None:
    maps = torch.tensor([[[1.0, -4.0], [2.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]])
    assert torch.equal(scaled(maps, "none"), maps)
    assert scaled(maps, "largest")[0].tolist() == [[0.25, -1], [0.5, 0.25]]
    assert scaled(maps, "sum")[0].tolist() == [[0.125, -0.5], [0.25, 0.125]]
    assert not scaled(maps, "sum")[1].any()


def test_a_network_that_says_nothing_gives_no_value() -> None:
    model = multiplied(smooth(), 0)
    for metric in ALL[:3]:
        assert not metric(model, images(3, 1, 6, 6), explainer=Gradient()).defined.any()
    # from zero to zero is no change, on any way
    found = LocalLipschitz()(model, images(3, 1, 6, 6), explainer=Gradient())
    assert found.defined.all()
    assert not found.value.any()


def test_draws_that_leave_the_image_as_it_is_do_not_count() -> None:
    x = torch.zeros(8, 1, 1, 1, dtype=torch.float64)
    changed = torch.stack([near.flatten() > 0 for near in neighbors(x, EPS, 2)], 1)
    assert changed.any(1).tolist() != changed.all(1).tolist() != [True] * 8
    found = LocalLipschitz(EPS, 2, "signed", "none")(Quadratic(1), x, 0, explainer=Gradient())
    assert found.defined.tolist() == changed.any(1).tolist()
    slope = Quadratic(1).hessian.abs().item()
    assert found.value[found.defined].tolist() == pytest.approx([slope] * int(found.defined.sum()))


def test_tiny_gradients_are_compared_all_the_same() -> None:
    model, x = smooth().float(), images(4, 1, 6, 6).float()
    for metric in ALL:
        found = metric(model, x, 0, explainer=Gradient()).value
        tiny = metric(multiplied(smooth(), 1e-30).float(), x, 0, explainer=Gradient())
        assert torch.allclose(tiny.value, found, atol=1e-4)


@pytest.mark.parametrize("name", ["random-similarity", "max-sensitivity", "local-lipschitz"])
def test_noise_that_is_none_is_refused(name: str) -> None:
    metric: Any = METRICS[name]
    for eps in (0, 2, math.nan):
        wanted = f"{name} has eps={eps}; give how far pixels may move, above 0 and at most 1"
        with pytest.raises(ConfigError, match=re.escape(wanted)):
            metric(eps=eps)
    with pytest.raises(ConfigError, match=re.escape(f"{name} has draws=0; it needs 1 or more")):
        metric(draws=0)


def test_the_published_change_of_scale_needs_the_published_scale() -> None:
    wanted = (
        "random-similarity has scale='sum' and compat='official', which is about maps divided by "
        "their largest value; leave one of them out"
    )
    with pytest.raises(ConfigError, match=re.escape(wanted)):
        RandomSimilarity(scale="sum", compat="official")


def test_they_say_what_is_wanted() -> None:
    assert RandomSimilarity().cost == MaxSensitivity().cost == LocalLipschitz().cost == "10 explanations"
    assert RandomSimilarity(similarity=Cosine()).undefined == "a map is zero, the image's or that of a draw"
    assert RandomSimilarity().low == -1
    assert (MaxSensitivity().low, MaxSensitivity().high) == (0, math.inf)
    assert MaxSensitivity().undefined == "the map is zero"
    assert LocalLipschitz().undefined == "no draw changed the image"
