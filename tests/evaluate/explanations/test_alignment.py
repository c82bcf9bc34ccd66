"""Maps beside reference maps and beside the image."""

import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.networks import images, linear, smooth
from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.errors import ShapeError
from pellucid.evaluate.explanations import ImageAlignment, ReferenceAlignment, Scores
from pellucid.explainers import Gradient
from pellucid.metrics.agreement import SSIM, Cosine, Pearson, planes
from pellucid.objectives import Align
from pellucid.probe import Probe


def compared(metric: ReferenceAlignment, maps: Tensor, reference: Tensor) -> Scores:
    x = torch.full_like(maps, 0.5)
    batch = Batch(x, torch.zeros(len(x), dtype=torch.long), {metric.reference: reference})
    return metric.on(linear(pixels=maps[0].numel()), batch, maps=maps)


def test_a_map_is_as_its_reference_or_the_opposite() -> None:
    maps = images(4, 2, 3, 3) - 0.5
    assert compared(ReferenceAlignment(), maps, 3 * maps).value.tolist() == pytest.approx([1] * 4)
    assert compared(ReferenceAlignment(), maps, -maps).value.tolist() == pytest.approx([-1] * 4)
    assert compared(ReferenceAlignment(sign="absolute"), maps, -maps).value.tolist() == pytest.approx([1] * 4)
    other = ReferenceAlignment("teacher", Pearson())
    assert compared(other, maps, 3 * maps + 1).value.tolist() == pytest.approx([1] * 4)


def test_it_is_one_less_what_alignment_trains() -> None:
    model, x = smooth(channels=3), images(5, 3, 6, 6)
    reference = images(5, 3, 6, 6, seed=1) - 0.5
    batch = Batch(x, torch.tensor([0, 1, 2, 3, 0]), {"reference": reference})
    found = ReferenceAlignment().on(model, batch, "label", explainer=Gradient())
    assert 1 - found.mean.value == pytest.approx(Align()(Probe(model, batch)).item())


def test_channels_are_compared_apart_or_summed() -> None:
    maps, reference = images(4, 2, 4, 3) - 0.5, images(4, 2, 4, 3, seed=1) - 0.5
    apart = torch.cosine_similarity(maps.flatten(1), reference.flatten(1))
    assert torch.allclose(compared(ReferenceAlignment(), maps, reference).value, apart)
    summed = ReferenceAlignment(similarity=SSIM(3), sign="positive", channels="summed")
    expected = SSIM(3)(planes(maps, "positive"), planes(reference, "positive"))
    assert torch.allclose(compared(summed, maps, reference).value, expected)
    # a reference in single precision is compared in the map's
    assert torch.allclose(compared(ReferenceAlignment(), maps, reference.float()).value, apart, atol=1e-6)


def test_nothing_points_nowhere() -> None:
    maps = images(3, 1, 3, 3)
    nothing = torch.cat([torch.zeros_like(maps[:1]), maps[1:]])
    assert compared(ReferenceAlignment(), nothing, maps).defined.tolist() == [False, True, True]
    assert compared(ReferenceAlignment(), maps, nothing).defined.tolist() == [False, True, True]
    assert ReferenceAlignment().undefined == "a map is zero, the image's or its reference"


def test_references_that_do_not_fit_are_refused() -> None:
    maps = images(3, 2, 3, 3)
    wanted = (
        "the column 'reference' holds maps of shape (1, 3, 3) for images of shape (2, 3, 3); "
        "each pixel of each channel needs one number"
    )
    with pytest.raises(ShapeError, match=re.escape(wanted)):
        compared(ReferenceAlignment(), maps, maps[:, :1])
    wanted = (
        "this batch has no column 'teacher' (there are none); attach one with split.with_column('teacher', tensor)"
    )
    with pytest.raises(ShapeError, match=re.escape(wanted)):
        ReferenceAlignment("teacher")(linear(pixels=18), maps, maps=maps)


def beside(x: Tensor, maps: Tensor, metric: ImageAlignment | None = None) -> Scores:
    return (metric or ImageAlignment())(linear(pixels=x[0].numel()), x, maps=maps)


@settings(max_examples=15)
@given(st.integers(0, 2**20), st.floats(0.01, 100))
def test_a_map_that_is_the_image_or_its_negative_is_aligned(seed: int, factor: float) -> None:
    x, maps = images(4, 2, 3, 3, seed=seed), images(4, 2, 3, 3, seed=seed + 1) - 0.5
    assert beside(x, factor * x).value.tolist() == pytest.approx([1] * 4)
    assert beside(x, -factor * x).value.tolist() == pytest.approx([1] * 4)
    found = beside(x, maps)
    assert torch.allclose(found.value, torch.cosine_similarity(x.flatten(1), maps.flatten(1)).abs())
    assert torch.allclose(beside(x, -factor * maps).value, found.value)
    projection = beside(x, maps, ImageAlignment("projection")).value
    assert torch.allclose(projection, found.value * x.flatten(1).norm(dim=1))
    assert torch.allclose(beside(x, -factor * maps, ImageAlignment("projection")).value, projection)


def test_a_projection_of_a_homogeneous_network_is_its_logit_in_gradients() -> None:
    # Euler: the logit of a network without biases is the product of image and gradient
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Flatten(), nn.Linear(9, 20, bias=False), nn.ReLU(), nn.Linear(20, 3, bias=False)
        ).double()
    x = images(6, 1, 3, 3)
    found = ImageAlignment("projection")(model, x, 1, explainer=Gradient()).value
    gradient = Gradient()(model, x, 1).map
    assert torch.allclose(found, model(x)[:, 1].detach().abs() / gradient.flatten(1).norm(dim=1))


def test_what_is_black_has_a_projection_and_no_angle() -> None:
    x, maps = torch.zeros(2, 1, 3, 3, dtype=torch.float64), images(2, 1, 3, 3)
    maps[1] = 0
    assert beside(x, maps).defined.tolist() == [False, False]
    found = beside(x, maps, ImageAlignment("projection"))
    assert found.defined.tolist() == [True, False]
    assert found.value.tolist() == [0, 0]
    assert ImageAlignment().undefined == "the map or the image is zero"
    assert ImageAlignment("projection").undefined == "the map is zero"


def test_they_say_what_is_wanted() -> None:
    assert (ImageAlignment().high, ImageAlignment("projection").high) == (1, math.inf)
    assert (ReferenceAlignment().low, ReferenceAlignment(similarity=Cosine()).high) == (-1, 1)
    assert ReferenceAlignment("teacher").needed == ("teacher",)
    assert ImageAlignment().cost == ReferenceAlignment().cost == "no pass"
