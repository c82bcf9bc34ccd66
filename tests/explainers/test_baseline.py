"""Baselines: that which the network subtracts, and what an image has of its baseline already."""

import re
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from networks import images, smooth
from pellucid.errors import ConfigError
from pellucid.evaluate.explanations import Deletion, Insertion
from pellucid.explainers import (
    RISE,
    Explainer,
    InputTimesGradient,
    IntegratedGradients,
    Lime,
    Occlusion,
    Smooth,
    completeness,
    named,
)
from pellucid.explainers.baseline import baseline_of, changed
from pellucid.explainers.lime import Grid
from pellucid.models import Normalize

MEAN, X = (0.4, 0.5, 0.6), images(4, 3, 6, 6)


def normalizing() -> nn.Module:
    return nn.Sequential(Normalize(MEAN, (0.2, 0.3, 0.4)), smooth(channels=3)).double()


def with_baseline(baseline: float | str) -> Sequence[Explainer]:
    words = (f"baseline={baseline}",)
    return [
        named("input-times-gradient", words),
        named("integrated-gradients", words),
        named("occlusion", words),
        named("rise", (*words, "masks=8", "cells=2")),
        named("lime", (*words, "masks=60", "segmentation.kind=grid")),
    ]


def at_mean() -> Tensor:
    return torch.tensor(MEAN).view(3, 1, 1).to(X).expand_as(X)


@pytest.mark.parametrize("explainer", with_baseline("network-mean"), ids=lambda explainer: type(explainer).__name__)
def test_what_the_network_subtracts_says_nothing(explainer: Explainer) -> None:
    model = normalizing()
    x = X.clone()
    x[1] = at_mean()[1]
    found = explainer(model, x, 2)
    assert found.idle is not None and found.idle.tolist() == [0, 1, 0, 0]
    assert found.notes[1] == ("the whole image is as the baseline already: the map says nothing",)
    if not isinstance(explainer, RISE):  # which has the mean answer everywhere then
        assert not found.map[1].any() and found.map[0].any()


def test_of_the_mean_that_is_subtracted_maps_are_of_what_the_first_layer_is_given() -> None:
    model, deviations = normalizing(), torch.tensor((0.2, 0.3, 0.4)).view(3, 1, 1).double()
    inside = (X - at_mean()) / deviations
    given = inside.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(model[1](given)[:, 2].sum(), given)  # pyright: ignore[reportIndexIssue]
    found = InputTimesGradient("network-mean")(model, X, 2).map
    assert torch.allclose(found, inside * gradient, rtol=1e-6)


def test_integrated_gradients_add_up_to_the_rise_from_the_mean_that_is_subtracted() -> None:
    model = normalizing()
    found = IntegratedGradients("network-mean", tolerance=0.001)(model, X, 2)
    with torch.no_grad():
        rise = (model(X) - model(at_mean()))[:, 2]
    assert torch.allclose(completeness(model, X, found, "network-mean").due, rise)
    assert found.completeness is not None and torch.allclose(found.completeness.due, rise)
    assert torch.allclose(found.map.flatten(1).sum(1), rise, rtol=2e-3)


@pytest.mark.parametrize("explainer", with_baseline("network-mean"), ids=lambda explainer: type(explainer).__name__)
def test_of_a_network_that_subtracts_nothing_there_is_no_such_baseline(explainer: Explainer) -> None:
    message = (
        "the baseline is 'network-mean', and this network subtracts no mean from images; "
        "give a number in [0, 1], 'mean' or 'blur'"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        explainer(smooth(channels=3), X, 2)
    for metric in (Insertion(fill="network-mean"), Deletion(fill="network-mean")):
        with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
            metric(smooth(channels=3), X, 2, maps=torch.rand(X.shape, generator=torch.Generator().manual_seed(0)))


def test_a_fill_may_be_any_baseline_and_zero_is_that_or_black() -> None:
    model, maps = normalizing(), images(*X.shape, seed=3)
    by = {fill: Insertion(fill=fill)(model, X, 2, maps=maps).columns["curve"] for fill in ("network-mean", "zero")}
    assert torch.equal(by["network-mean"], by["zero"])
    plain = smooth(channels=3)
    assert torch.equal(
        Insertion(fill="zero")(plain, X, 2, maps=maps).columns["curve"],
        Insertion(fill=0.0)(plain, X, 2, maps=maps).columns["curve"],
    )


@pytest.mark.parametrize(
    ("baseline", "image", "same"),
    [
        (0.0, torch.zeros(1, 8, 8), True),
        ("mean", torch.full((3, 8, 8), 0.3), True),
        ("blur", torch.full((3, 32, 48), 0.7), True),
        ("blur", torch.full((1, 8, 8), 1.0), True),
        (0.5, torch.full((1, 8, 8), 0.5001), False),
        ("mean", torch.linspace(0, 1, 64).view(1, 8, 8), False),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_what_is_as_the_baseline_is_found_in_any_precision(
    baseline: float | str, image: Tensor, same: bool, dtype: torch.dtype
) -> None:
    if dtype == torch.bfloat16 and baseline == 0.5:
        return  # 0.5001 is 0.5 there
    x = image[None].to(dtype)
    found = changed(x, baseline_of(x, baseline, nn.Identity()))  # pyright: ignore[reportArgumentType]
    assert found.shape == (1, *image.shape[1:])
    assert bool(found.any()) != same
    assert not same or not bool(found.any())


def test_a_network_of_noisy_copies_has_no_baseline_of_its_own() -> None:
    assert Smooth(InputTimesGradient(), samples=2)(smooth(channels=3), X, 2).idle is None


def test_vectors_are_compared_number_by_number() -> None:
    x = torch.tensor([[0.0, 0.2, 0.0, 0.4]])
    model = nn.Linear(4, 2)
    found = InputTimesGradient()(model, x, 1)
    assert found.idle is not None and found.idle.tolist() == [0.5]


def test_what_is_said_in_short() -> None:
    x = torch.zeros(1, 1, 6, 6, dtype=torch.float64)
    x[..., 0] = 1
    found = Occlusion(window=2, stride=2)(smooth(), x, 0)
    assert found.in_short(0) == ("83% as the baseline",)
    assert Lime(Grid(3, 3), masks=60)(smooth(), images(1, 1, 6, 6), 0).in_short(0) == ()
