"""Removing what the fill shows already is no removal, and that is said."""

import math

import pytest
import torch

from networks import images, smooth
from pellucid.data import TensorSplit
from pellucid.evaluate.explanations import (
    ROAD,
    AdversarialInsertion,
    Deletion,
    FaithfulnessCorrelation,
    Infidelity,
    Insertion,
    Metric,
    PixelFlipping,
    judge,
)
from pellucid.explainers import Gradient

FILLING: list[Metric] = [
    Insertion(fill=0.0),
    Deletion(fill="zero"),
    PixelFlipping(fill=0.0),
    FaithfulnessCorrelation(samples=8),
    Infidelity(samples=8, change="square", side=2),
    AdversarialInsertion(fill=0.0, steps=1),
]


def half_black() -> torch.Tensor:
    """An image without black, one that is black by half, and one that is black."""
    x = 0.1 + 0.9 * images(3, 1, 6, 6)
    x[1, :, :3], x[2] = 0, 0
    return x


@pytest.mark.parametrize("metric", FILLING, ids=lambda metric: type(metric).__name__)
def test_how_much_is_as_the_fill_is_a_column_and_where_all_is_there_is_no_value(metric: Metric) -> None:
    found = metric(smooth(), half_black(), 1, explainer=Gradient())
    assert found.columns["idle"].tolist() == [0, 0.5, 1]
    assert found.defined.tolist() == [True, True, False]
    assert "the image is as the fill throughout" in metric.undefined


@pytest.mark.parametrize("fill", ["mean", "blur"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_mean_and_the_blur_of_an_even_image_are_that_image(fill: str, channels: int) -> None:
    x = torch.stack([torch.full((channels, 8, 8), 0.3, dtype=torch.float64), *images(1, channels, 8, 8)])
    model, maps = smooth(channels=channels, size=8), images(2, channels, 8, 8, seed=1)
    found = Deletion(fill=fill)(model, x, 0, maps=maps)  # pyright: ignore[reportArgumentType]
    assert found.columns["idle"].tolist() == [1, 0] and found.defined.tolist() == [False, True]


def test_noise_takes_something_from_every_image() -> None:
    found = Infidelity(samples=4)(smooth(), half_black(), 1, explainer=Gradient())
    assert bool(found.defined.all()) and "idle" not in found.columns


def test_an_even_image_is_guessed_as_it_is() -> None:
    x = half_black()
    found = ROAD(percents=(20, 60))(smooth(), x, 1, explainer=Gradient())
    assert found.defined.tolist() == [True, True, False]
    assert ROAD().undefined == "the map is constant, or the image is"


def test_a_record_says_where_most_is_nothing() -> None:
    split = TensorSplit(half_black()[1:].float(), torch.tensor([0, 1]), ("a", "b", "c", "d"))
    metrics: dict[str, Metric] = {"deletion": Deletion(), "infidelity": Infidelity(samples=2)}
    found = judge(smooth().float(), split, metrics, explainer=Gradient())
    assert found["deletion"].idle == 0.75
    assert found["deletion"].idle_in_words == (
        "75% of the pixels are as the fill already: to take them away changes nothing"
    )
    assert found["infidelity"].idle is None and found["infidelity"].idle_in_words == ""
    few = judge(smooth().float(), split.take(1), {"deletion": Deletion(fill=0.9)}, explainer=Gradient())
    assert few["deletion"].idle == 0 and few["deletion"].idle_in_words == ""
    assert math.isfinite(float(few["deletion"].columns["value"][0]))
