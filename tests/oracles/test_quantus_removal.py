"""Measures that take pixels away against Quantus, on the same orders and the same changes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import quantus
import quantus.helpers.utils
import torch
from quantus.functions.perturb_func import noisy_linear_imputation
from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.evaluate.explanations import ROAD, Case, FaithfulnessCorrelation, Infidelity, PixelFlipping
from pellucid.evaluate.explanations.infidelity import Change
from pellucid.evaluate.explanations.road import impute

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def case(digits_network: nn.Module, digits: Batch) -> Case:
    """20 digits, each explained for what the network says, by maps without equal values."""
    x = digits.x[:20]
    of = digits_network(x).argmax(1)
    maps = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    return Case(digits_network, Batch(x, of), of, maps, None, 0)


@pytest.fixture
def color() -> Case:
    """The same of a network that sees three channels."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(216, 5)).eval()
        x = torch.rand(6, 3, 8, 8)
        maps = torch.randn(6, 3, 8, 8)
    of = model(x).argmax(1).detach()
    return Case(model.requires_grad_(False), Batch(x, of), of, maps, None, 0)


def _theirs(metric: Any, case: Case, maps: Tensor | None = None) -> Any:
    attributions = (case.maps if maps is None else maps).numpy()
    return metric(model=case.model, x_batch=case.x.numpy(), y_batch=case.of.numpy(), a_batch=attributions)


@pytest.mark.parametrize("pixels", [1, 4, 16])
@pytest.mark.parametrize("fill", [0.0, 0.5])
def test_pixel_flipping(case: Case, pixels: int, fill: float) -> None:
    theirs = _theirs(quantus.PixelFlipping(features_in_step=pixels, perturb_baseline=fill), case)  # pyright: ignore[reportArgumentType]
    ours = PixelFlipping(pixels, fill).on(case.model, case.batch, case.of, maps=case.maps)
    curve = torch.tensor(np.array(theirs))
    assert torch.allclose(ours.columns["curve"].double(), curve.double(), rtol=0, atol=1e-6)
    area = torch.trapezoid(curve.double(), dim=1) / (curve.shape[1] - 1)
    assert torch.allclose(ours.value, area, rtol=0, atol=1e-6)


def test_pixel_flipping_of_all_channels_of_a_pixel_at_once(color: Case) -> None:
    # Quantus takes values, not pixels; three in a step are a pixel where its channels come one after another
    place = color.maps.sum(1).flatten(1).argsort(1).argsort(1).view(6, 1, 8, 8)
    together = 3.0 * place + torch.arange(3).view(1, 3, 1, 1)
    metric = quantus.PixelFlipping(features_in_step=12, perturb_baseline=0.25)  # pyright: ignore[reportArgumentType]
    metric.custom_preprocess = _nothing
    theirs = _theirs(metric, color, together)
    ours = PixelFlipping(4, 0.25).on(color.model, color.batch, color.of, maps=color.maps)
    assert torch.allclose(ours.columns["curve"].double(), torch.tensor(np.array(theirs)).double(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("percents", [tuple(range(1, 100, 7)), (10.0, 55.0)])
def test_road_without_noise(case: Case, percents: tuple[float, ...]) -> None:
    ours = ROAD(percents, noise=0.0).on(case.model, case.batch, case.of, maps=case.maps)
    for column, maps in (("most_first", case.maps), ("least_first", -case.maps)):
        theirs = _theirs(quantus.ROAD(percentages=list(percents), noise=0.0), case, maps)
        kept = ours.columns[column].double().mean(0)
        assert kept.tolist() == pytest.approx([theirs[percent] for percent in percents])
        assert 0.1 < float(kept.mean()) < 1


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_imputation(channels: int, share: float) -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(4, channels, 12, 9, generator=generator, dtype=torch.float64)
    chosen = torch.rand(4, 108, generator=generator).argsort(1)[:, : int(108 * share)]
    gone = torch.zeros(4, 108, dtype=torch.bool).scatter_(1, chosen, value=True).view(4, 12, 9)
    ours = impute(x, gone)
    for image in range(4):
        places: Any = chosen[image].numpy()
        theirs = noisy_linear_imputation(x[image].numpy(), places, noise=0.0)
        assert torch.allclose(ours[image], torch.from_numpy(theirs), rtol=0, atol=1e-7)


@pytest.mark.parametrize("change", ["noise", "square"])
def test_infidelity(case: Case, change: Change) -> None:
    metric = Infidelity(6, change, side=2)
    ours = metric.on(case.model, case.batch, case.of, maps=case.maps)
    taken, image = metric.changes(case), torch.arange(20)
    samples = iter(case.x - taken(image, torch.full((20,), number)) for number in range(6))

    def replay(arr: Any, indices: Any, **_named: Any) -> Any:
        return next(samples).reshape(20, -1).numpy()

    # its blocks only say how often it asks for a change
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantus.helpers.utils, "get_block_indices", _six)
        theirs = _theirs(quantus.Infidelity(perturb_func=replay, n_perturb_samples=1, perturb_patch_sizes=[2]), case)
    assert torch.allclose(ours.value, torch.tensor(np.array(theirs)).double(), rtol=1e-4)


def _nothing(*_arguments: Any, **_named: Any) -> None:
    """In the place of a check that counts pixels and not values."""


def _six(*_arguments: Any) -> Iterator[None]:
    return iter([None] * 6)


def test_faithfulness_correlation(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    metric = FaithfulnessCorrelation(30, share=0.25, fill=0.5)
    ours = metric.on(case.model, case.batch, case.of, maps=case.maps)
    numbers = torch.arange(600)
    gone = metric.gone(case, numbers % 20, numbers // 20).flatten(1)
    drawn = iter(row.nonzero().squeeze(1).numpy() for row in gone)

    def choice(*_arguments: Any, **_named: Any) -> Any:
        return next(drawn)

    monkeypatch.setattr(np.random, "choice", choice)
    fill: Any = 0.5
    theirs = quantus.FaithfulnessCorrelation(
        nr_runs=30, subset_size=16, perturb_baseline=fill, normalise=False, return_aggregate=False
    )
    assert torch.allclose(ours.value, torch.tensor(np.array(_theirs(theirs, case))).double(), rtol=0, atol=1e-4)
