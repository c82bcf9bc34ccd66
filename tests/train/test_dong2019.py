"""The toy run of the representation ratio: does an attacked image look like its own class, or like the other?"""

import functools

import pytest
import torch
from torch import nn

import pellucid
from pellucid import models
from pellucid.attacks import PGD, LowestLoss
from pellucid.batch import Batch
from pellucid.data import Split
from pellucid.objectives import Attacked, CrossEntropy, FeatureMatch, Objective
from pellucid.probe import Probe, frozen
from pellucid.train import RECIPES, Adam, Constant, Recipe
from seeds import SEEDS

DIGITS = pellucid.data.load("digits")
LAYER = "activation2"
PLACE = Attacked(PGD(eps=0.2, steps=1, step=1, start="here"), towards="least-likely", vary=True)
CONSISTENT = 0.5 * CrossEntropy() + 0.5 * CrossEntropy().at(PLACE) + 0.1 * FeatureMatch(PLACE)
RECIPE = Recipe(epochs=18, batch=64, optimizer=Adam(lr=3e-3), schedule=Constant())


@functools.cache
def trained(consistent: bool, seed: int) -> nn.Module:
    network = models.build("mlp", seed=seed, shape=(1, 8, 8), hidden=(128, 64))
    objective = CONSISTENT if consistent else Objective.of(CrossEntropy())
    list(pellucid.fit(network, DIGITS.train, objective, RECIPE, seed=seed))
    return network


def features(probe: Probe) -> torch.Tensor:
    return probe.features(LAYER).detach()


def everything(network: nn.Module, split: Split) -> Probe:
    (batch,) = split.batches([torch.arange(len(split))])
    return Probe(network, batch, second_order=False, layers=(LAYER,))


def ratio(network: nn.Module) -> float:
    """Distances from the mean of the true class over those from the mean of the class aimed at, by 20 steps."""
    with frozen(network):
        known, clean = everything(network, DIGITS.train), everything(network, DIGITS.test)
        means = torch.stack([features(known)[known.y == label].mean(0) for label in range(10)])
        aims = (clean.y + 1 + torch.arange(len(clean.y)) % 9) % 10
        aimed = Probe(network, Batch(clean.x.detach(), aims), second_order=False, layers=(LAYER,))
        moved = features(Attacked(PGD(eps=0.2, steps=20, goal=LowestLoss())).probe(aimed))
    from_own, from_aim = (moved - means[clean.y]).norm(dim=1), (moved - means[aims]).norm(dim=1)
    return float((from_own / from_aim).mean())


@pytest.mark.parametrize("seed", SEEDS)
def test_consistent_training_keeps_attacked_images_by_their_class(seed: int) -> None:
    plain, consistent = trained(False, seed), trained(True, seed)
    assert ratio(plain) > 1.5
    assert ratio(consistent) < 1.0
    assert pellucid.accuracy(consistent, DIGITS.test).value > pellucid.accuracy(plain, DIGITS.test).value - 0.02


def test_training_finds_the_layer_that_the_recipe_leaves_open() -> None:
    network = models.build("mlp", shape=(1, 8, 8), hidden=(128, 64))
    (epoch,) = pellucid.fit(network, DIGITS.train.take(100), RECIPES["consistency"].objective, Recipe(epochs=1))
    assert epoch.terms["feature-match"] > 0
    assert epoch.weights == {"cross-entropy": 0.5, "cross-entropy-2": 0.5, "feature-match": 0.6}
