"""Localization and class sensitivity against Quantus."""

import warnings
from typing import Any

import numpy
import pytest
import quantus
import torch
from quantus.functions.similarity_func import correlation_pearson
from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.evaluate.explanations import ClassSensitivity, MassInMask, Metric, PointingGame, RankInMask
from pellucid.explainers import Gradient
from pellucid.metrics.agreement import Pearson

QUIET: dict[str, Any] = {"normalise": False, "abs": False, "disable_warnings": True, "display_progressbar": False}


def theirs(metric: Any, model: nn.Module, x: Tensor, y: Tensor, maps: Tensor, **more: Any) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = metric(model=model, x_batch=x.numpy(), y_batch=y.numpy(), a_batch=maps.numpy(), device="cpu", **more)
    return torch.as_tensor(numpy.asarray(found, dtype=float))


@pytest.fixture
def maps(exact_network: nn.Module, exact_digits: Batch) -> Tensor:
    return Gradient()(exact_network, exact_digits.x, "predicted").map


@pytest.fixture
def mask(exact_digits: Batch) -> Tensor:
    """Where there is ink, and in the first images nothing."""
    mask = exact_digits.x > 0.4
    mask[:3] = False
    return mask


@pytest.mark.parametrize(
    ("ours", "metric"),
    [
        (PointingGame(), quantus.PointingGame(**QUIET)),
        (RankInMask(), quantus.RelevanceRankAccuracy(**QUIET)),
        (MassInMask(), quantus.RelevanceMassAccuracy(**QUIET)),
    ],
    ids=["pointing-game", "rank-in-mask", "mass-in-mask"],
)
def test_localization_on_digits(
    exact_network: nn.Module, exact_digits: Batch, maps: Tensor, mask: Tensor, ours: Metric, metric: Any
) -> None:
    # theirs divides by the sum of a signed map, which may be anything; of what is positive both mean the same
    given = maps.clamp_min(0) if isinstance(ours, MassInMask) else maps
    found = ours.on(exact_network, exact_digits.with_column("mask", mask), maps=given)
    expected = theirs(metric, exact_network, exact_digits.x, exact_digits.y, given, s_batch=mask.numpy())
    assert found.defined.tolist() == [False] * 3 + [True] * 197
    assert found.value[3:].allclose(expected[3:], atol=1e-6)


def test_class_sensitivity_on_digits(exact_network: nn.Module, exact_digits: Batch) -> None:
    """Both compare with whatever class was drawn, so two classes are left of which each is the other's."""
    model, x = nn.Sequential(exact_network, Two()), exact_digits.x[:40]
    of = model(x).argmax(1)
    first, second = (Gradient()(model, x, classes).map for classes in (of, 1 - of))

    def explained(*, targets: Any, **_: Any) -> Any:
        same = torch.as_tensor(targets) == of
        return torch.where(same[:, None, None, None], first, second).numpy()

    metric = quantus.RandomLogit(num_classes=2, similarity_func=correlation_pearson, **QUIET)
    expected = theirs(metric, model, x, of, first, explain_func=explained)
    for other in ("runner-up", "random"):
        found = ClassSensitivity(other, Pearson())(model, x, of, explainer=Gradient())
        assert found.value.allclose(expected, atol=1e-5)


class Two(nn.Module):
    """Of ten logits the first two."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :2]
