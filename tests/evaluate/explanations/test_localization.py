import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from networks import images, linear
from pellucid.batch import Batch
from pellucid.errors import ConfigError, MeasurementError, NotFinite, ShapeError
from pellucid.evaluate.explanations import MassInMask, Metric, PointingGame, RankInMask, Scores
from pellucid.evaluate.explanations.in_mask import widened
from pellucid.explainers import Gradient

METRICS: list[Metric] = [PointingGame(), MassInMask(), RankInMask()]


def judged(metric: Metric, maps: Tensor, mask: Tensor) -> Scores:
    x = torch.zeros_like(maps)
    batch = Batch(x, torch.zeros(len(x), dtype=torch.long), {"mask": mask})
    return metric.on(linear(pixels=x[0].numel()).to(x.dtype), batch, 0, maps=maps)


def random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: type(metric).__name__)
def test_a_network_that_looks_at_one_quarter_is_found_to(metric: Metric) -> None:
    mask = torch.zeros(4, 8, 8, dtype=torch.bool)
    mask[:, 4:, :4] = True
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).double()
    with torch.no_grad():
        model.get_parameter("1.weight").copy_(mask[0].flatten() * (0.1 + images(3, 64)))
    x = images(4, 1, 8, 8)
    for given_mask, wanted in ((mask, 1.0), (~mask, 0.0)):
        found = metric.on(model, Batch(x, torch.zeros(4).long(), {"mask": given_mask}), 1, explainer=Gradient())
        assert bool(found.defined.all())
        # where the mask is all the rest, ranks also reach places of which the map says nothing
        if not (isinstance(metric, RankInMask) and wanted == 0):
            assert found.value.allclose(torch.full_like(found.value, wanted))
        share = float(given_mask.double().mean())
        assert found.columns["area"].allclose(torch.full((4,), share, dtype=torch.float64))


def test_ranks_that_reach_level_places() -> None:
    """48 pixels of the rest, of which 16 are taken by the map's own: the level ones fill what is left."""
    maps, mask = torch.zeros(1, 1, 8, 8), torch.ones(1, 8, 8)
    maps[:, :, 4:, :4], mask[:, 4:, :4] = 1, 0
    assert judged(RankInMask(), maps, mask).value.tolist() == [pytest.approx(32 / 48)]


def test_closed_forms() -> None:
    maps = torch.tensor([[4.0, 3.0, -1.0], [2.0, 1.0, 0.0]]).reshape(1, 1, 2, 3)
    mask = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])[None]
    assert judged(PointingGame(), maps, mask).value.tolist() == [1]
    assert judged(PointingGame(), -maps, mask).value.tolist() == [1]
    mass = judged(MassInMask(), maps, mask)
    assert mass.value.tolist() == [0.5]
    assert mass.columns["ratio"].tolist() == [1.0]
    assert judged(MassInMask("absolute"), maps, mask).value.tolist() == [pytest.approx(6 / 11)]
    assert judged(RankInMask(), maps, mask).value.tolist() == [pytest.approx(1 / 3)]


def test_channels_are_summed() -> None:
    maps = torch.zeros(1, 2, 2, 2)
    maps[0, :, 0, 0], maps[0, 0, 1, 1] = 2, 3
    mask = torch.tensor([[1.0, 0.0], [0.0, 0.0]])[None]
    assert judged(PointingGame(), maps, mask).value.tolist() == [1]
    assert judged(MassInMask(), maps, mask).value.tolist() == [pytest.approx(4 / 7)]


def test_places_that_share_the_largest_value_count_in_parts() -> None:
    maps = torch.zeros(1, 1, 2, 4)
    maps[0, 0, 0, :3] = 1
    mask = torch.tensor([[1, 0, 0, 0], [1, 1, 1, 1]])[None]
    found = judged(PointingGame(), maps, mask)
    assert found.value.tolist() == [pytest.approx(1 / 3)]
    assert found.columns["largest"].tolist() == [3]


def test_a_near_miss_within_the_tolerance_is_a_hit() -> None:
    maps, mask = torch.zeros(1, 1, 9, 9), torch.zeros(1, 9, 9)
    maps[0, 0, 2, 3], mask[0, 5, 7] = 1, 1  # 3 down and 4 right: 5 pixels away
    assert [judged(PointingGame(tolerance), maps, mask).value.item() for tolerance in (0, 4, 5, 20)] == [0, 0, 1, 1]


@given(st.integers(0, 2**20), st.integers(0, 9), st.sampled_from([(1, 1), (3, 8), (7, 5)]))
def test_a_widened_mask_is_all_that_lies_near(seed: int, tolerance: int, shape: tuple[int, int]) -> None:
    mask = random(2, *shape, seed=seed) > 1.2
    places = torch.cartesian_prod(torch.arange(shape[0]), torch.arange(shape[1])).double()
    near = torch.cdist(places, places).square() <= tolerance**2 + 1e-6
    wanted = (mask.flatten(1)[:, None] & near).any(2).reshape(mask.shape)
    assert torch.equal(widened(mask, tolerance), wanted)


@given(st.integers(0, 2**20), st.floats(0.01, 100))
@settings(max_examples=8)
def test_scale_and_turns_change_nothing(seed: int, scale: float) -> None:
    maps, mask = random(3, 2, 4, 5, seed=seed), random(3, 4, 5, seed=seed + 1) > 0
    for metric in [*METRICS, PointingGame(1, "absolute"), RankInMask("positive")]:
        found = judged(metric, maps, mask)
        assert found.value.allclose(judged(metric, maps * scale, mask).value)
        assert found.value.allclose(judged(metric, maps.flip(-1), mask.flip(-1)).value)
        assert found.value.allclose(judged(metric, maps, mask[:, None]).value)
        assert found.value.allclose(judged(metric, maps, mask.to(torch.uint8) * 255).value)


@given(st.integers(0, 2**20))
@settings(max_examples=15)
def test_mask_and_rest_share_what_there_is(seed: int) -> None:
    maps, mask = random(3, 1, 4, 5, seed=seed), random(3, 4, 5, seed=seed + 1) > 0
    for metric in (PointingGame(), MassInMask()):
        first, second = judged(metric, maps, mask), judged(metric, maps, ~mask)
        both = first.defined & second.defined
        assert (first.value + second.value)[both].allclose(torch.ones(int(both.sum()), dtype=torch.float64))


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: type(metric).__name__)
def test_images_without_an_object_have_no_value(metric: Metric) -> None:
    maps, mask = random(3, 1, 4, 4, seed=0), torch.zeros(3, 4, 4)
    mask[1, 0, 0] = 1
    assert judged(metric, maps, mask).defined.tolist() == [False, True, False]
    nowhere = judged(metric, maps, mask * 0)
    with pytest.raises(MeasurementError, match="^none of 3 images has a value; there is no mean$"):
        _ = nowhere.mean


def test_nothing_that_speaks_for_the_class_is_no_mass() -> None:
    maps = -torch.ones(1, 1, 2, 2)
    assert not judged(MassInMask(), maps, torch.ones(1, 2, 2)).defined
    assert judged(MassInMask("absolute"), maps, torch.ones(1, 2, 2)).value.tolist() == [1]
    # nor do tiny values vanish
    assert judged(MassInMask(), -maps * 1e-44, torch.ones(1, 2, 2)).value.tolist() == [1]


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: type(metric).__name__)
@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 2, 4, 4), (3, 16), (3,)])
def test_masks_of_other_shapes_are_refused(metric: Metric, shape: tuple[int, ...]) -> None:
    message = f"the column 'mask' is {shape} for images of (3, 1, 4, 4); give (3, 4, 4), above 0.5 inside the object"
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        judged(metric, random(3, 1, 4, 4, seed=0), torch.ones(shape))


def test_masks_that_are_not_finite_are_refused() -> None:
    message = "the column 'mask' has NaN or infinite entries; give 1 inside the object and 0 outside"
    with pytest.raises(NotFinite, match=f"^{re.escape(message)}$"):
        judged(RankInMask(), random(1, 1, 2, 2, seed=0), torch.full((1, 2, 2), torch.nan))


def test_a_tolerance_below_nothing_is_refused() -> None:
    message = "pointing-game has tolerance=-1; give a number of pixels, 0 or more"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        PointingGame(-1)
