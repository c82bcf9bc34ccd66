import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from networks import linear
from pellucid.attacks.explanations import Decorrelate, ExplanationAttack, Frame, Towards
from pellucid.batch import Batch
from pellucid.errors import ConfigError, MeasurementError
from pellucid.evaluate.explanations import (
    AdversarialInsertion,
    AdversarialSimilarity,
    Insertion,
    Invalidation,
    Metric,
    TargetSimilarity,
)
from pellucid.explainers import Gradient, InputTimesGradient, Lime
from pellucid.metrics.agreement import Cosine, Pearson, Spearman, TopK, planes
from pellucid.norms import RMS, Linf
from pellucid.testing.specimens import images, network

X, Y = images()
BATCH = Batch(X, Y)


def absolute(maps: Tensor) -> Tensor:
    return planes(maps, "absolute")


def test_maps_of_a_linear_network_hold() -> None:
    model = linear(pixels=36)
    similar = AdversarialSimilarity(steps=2)(model, X, 0, explainer=Gradient())
    assert torch.allclose(similar.value, torch.ones(6, dtype=torch.float64))
    assert torch.equal(similar.columns["distance"], torch.zeros(6, dtype=torch.float64))
    held = Invalidation((0.01, 0.1), steps=2)(model, X, 0, explainer=Gradient())
    assert torch.allclose(held.value, torch.ones(6, dtype=torch.float64))
    aimed = TargetSimilarity(steps=2)(model, X, 0, explainer=Gradient())
    assert torch.allclose(aimed.value, aimed.columns["before"])


def test_similarities_are_those_of_the_attack_s_maps() -> None:
    settings = {"eps": 0.2, "steps": 5, "keep": "label", "restarts": 2}
    attack = ExplanationAttack(InputTimesGradient(), Frame(1), **settings)  # pyright: ignore[reportArgumentType]
    found = attack.on(network(), BATCH, "predicted")
    similar = AdversarialSimilarity(Frame(1), **settings, similarity=Cosine())(  # pyright: ignore[reportArgumentType]
        network(), X, explainer=InputTimesGradient()
    )
    assert torch.allclose(similar.value, Cosine()(absolute(found.before), absolute(found.after)))
    for name in ("kept", "distance", "shift", "blind"):
        assert torch.equal(similar.columns[name], getattr(found, name)), name
    aimed = TargetSimilarity(Frame(1), **settings)(  # pyright: ignore[reportArgumentType]
        network(), X, explainer=InputTimesGradient()
    )
    frame = attack.target(found.before, BATCH)
    assert torch.allclose(aimed.value, Pearson()(absolute(found.after), frame))
    assert torch.allclose(aimed.columns["before"], Pearson()(absolute(found.before), frame))
    assert float((aimed.value - aimed.columns["before"]).mean()) > 0


def test_a_target_that_is_the_map_is_reached_from_the_start() -> None:
    maps = Gradient().on(network(), BATCH, "predicted").map
    metric = TargetSimilarity(Towards(), steps=2)
    found = metric.on(network(), BATCH.with_column("towards", maps), "predicted", explainer=Gradient())
    assert torch.allclose(found.value, torch.ones(6, dtype=torch.float64))


@pytest.mark.parametrize("compat", ["none", "official"])
def test_adversarial_insertion_is_insertion_by_the_attacked_map(compat: str) -> None:
    metric = AdversarialInsertion(Frame(1), 0.2, steps=4, points=5, compat=compat)  # pyright: ignore[reportArgumentType]
    found = metric.on(network(), BATCH, "predicted", explainer=Gradient())
    after = metric.attack(Gradient()).on(network(), BATCH, "predicted").after
    insertion = Insertion(5, sign="absolute", compat=compat)  # pyright: ignore[reportArgumentType]
    expected, clean = (
        insertion.on(network(), BATCH, "predicted", maps=maps)
        for maps in (after, Gradient().on(network(), BATCH, "predicted").map)
    )
    assert torch.allclose(found.value, expected.value)
    assert torch.allclose(found.columns["curve"], expected.columns["curve"])
    assert torch.allclose(found.columns["clean"], clean.value)
    assert not torch.allclose(found.value, clean.value)


def test_invalidation_follows_its_budgets() -> None:
    metric = Invalidation((0.02, 0.05, 0.2), steps=6, share=0.2)
    found = metric.on(network(), BATCH, "predicted", explainer=InputTimesGradient())
    similarity, distance = found.columns["similarity"], found.columns["distance"]
    assert similarity.shape == (6, 3)
    assert bool((similarity.diff(dim=1) <= 1e-12).all())
    assert bool((distance <= torch.tensor(metric.budgets, dtype=torch.float64) * (1 + 1e-9)).all())
    assert bool(found.columns["kept"].all())
    assert torch.allclose(found.value, similarity.mean(1))
    smallest = ExplanationAttack(
        InputTimesGradient(), Decorrelate(), 0.02, RMS(), 6, optimizer="steepest", keep="label"
    )
    one = smallest.on(network(), BATCH, "predicted")
    maps = absolute(one.before), absolute(one.after)
    for name, similar in (("similarity", Pearson()), ("spearman", Spearman()), ("top_k", TopK(0.2))):
        assert torch.allclose(found.columns[name][:, 0], similar(*maps)), name


def test_a_search_without_slope_gives_no_value() -> None:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(1, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(80, 4)).double()
    metrics: list[Metric] = [
        AdversarialSimilarity(steps=1, eps=0.3, softplus=0.0),
        Invalidation((0.3,), Linf(), steps=1, softplus=0.0),
    ]
    for metric in metrics:
        found = metric(model, X, 0, explainer=Gradient())
        assert not found.defined.any()
        assert metric.undefined == "a map is constant, or the search had no slope to follow"
        with pytest.raises(MeasurementError, match="^none of 6 images has a value; there is no mean$"):
            found.mean  # noqa: B018


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: TargetSimilarity(Decorrelate()),
            "target-similarity has an aim of Decorrelate, which knows no map that it wants; take frame or towards",
        ),
        (
            lambda: AdversarialSimilarity(steps=0),
            "ExplanationAttack has steps=0; a search takes 1 step or more",
        ),
        (
            lambda: Invalidation(()),
            "invalidation has budgets=[]; give one or more, each above the last",
        ),
        (
            lambda: Invalidation((0.2, 0.1)),
            "invalidation has budgets=[0.2, 0.1]; give one or more, each above the last",
        ),
        (lambda: AdversarialInsertion(points=0), "adversarial-insertion has points=0; give 1 or more"),
        (
            lambda: AdversarialSimilarity(steps=1)(network(), X, explainer=Lime(), maps=X),
            "maps of Lime cannot be differentiated, so no search can follow them; "
            "take gradient, smoothgrad, integrated-gradients, guided-backprop, lrp or grad-cam",
        ),
    ],
)
def test_settings_that_measure_nothing_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        make()
