"""Each form of adversarial training, as its recipe has it but with shorter searches, against standard training."""

import functools
from dataclasses import replace

import pytest
from torch import nn

import pellucid
from pellucid import config, models
from pellucid.attacks import PGD, GaussianNoise
from pellucid.objectives import Objective
from pellucid.train import RECIPES, Adam, Recipe
from seeds import SEEDS

DIGITS = pellucid.data.load("digits")
TEST = DIGITS.test.take(200)
EPS, SIGMA = 0.1, 0.4
METHODS = [
    *("adversarial-training", "adversarial-training-averaged", "trades", "mart", "fast", "n-fgsm", "nuat", "noise"),
    "consistency",
]
seeds = pytest.mark.parametrize("seed", SEEDS)


def shorter(objective: Objective) -> Objective:
    """The same objective with searches of 2 steps at most, and with the noise that is measured."""
    tables = config.dump(objective)
    for table in tables.values():
        for place in (table.get("at"), table.get("place")):
            if place is not None and place["attack"]["kind"] == "pgd":
                place["attack"]["steps"] = min(place["attack"]["steps"], 2)
            elif place is not None:
                place["attack"]["sigma"] = SIGMA
    return config.build(Objective, tables)


@functools.cache
def trained(method: str, seed: int, epochs: int) -> nn.Module:
    network = models.build("mlp", seed=seed, shape=(1, 8, 8), hidden=(128, 64))
    recipe = Recipe(epochs=epochs, batch=64, optimizer=Adam(lr=3e-3))
    list(pellucid.fit(network, DIGITS.train, shorter(RECIPES[method].objective), recipe, seed=seed))
    return network


def robust(network: nn.Module) -> float:
    return pellucid.measure(network, TEST, PGD(eps=EPS, steps=10)).robust_accuracy(EPS).value


def under_noise(network: nn.Module) -> float:
    return pellucid.measure(network, DIGITS.test, GaussianNoise(sigma=SIGMA)).survived.value


@seeds
@pytest.mark.parametrize("method", ["adversarial-training", "trades", "mart", "fast", "n-fgsm", "nuat"])
def test_robust_accuracy_rises(method: str, seed: int) -> None:
    plain, hardened = trained("standard", seed, 7), trained(method, seed, 7)
    assert robust(hardened) > robust(plain) + 0.12
    assert pellucid.accuracy(hardened, TEST).value > pellucid.accuracy(plain, TEST).value - 0.08


@pytest.mark.slow
@seeds
def test_training_with_noise_raises_accuracy_under_noise(seed: int) -> None:
    assert under_noise(trained("noise", seed, 24)) > under_noise(trained("standard", seed, 24)) + 0.04


@pytest.mark.parametrize("method", METHODS)
def test_a_recipe_is_of_first_order_and_reads_back(method: str) -> None:
    preset = RECIPES[method]
    assert not preset.objective.second_order
    assert config.build(Objective, config.dump(preset.objective)) == preset.objective
    assert config.build(Recipe, config.dump(preset.recipe)) == preset.recipe


def test_only_recipes_of_one_step_watch_and_with_their_own_budget() -> None:
    watching = {name for name, preset in RECIPES.items() if preset.recipe.watch.images}
    assert watching == {"fast", "n-fgsm", "nuat"}
    for name in watching:
        table = config.dump(RECIPES[name].objective)
        (attack,) = [
            part["attack"] for term in table.values() for part in (term.get("at"), term.get("place")) if part
        ]
        assert RECIPES[name].recipe.watch.attack.budget == attack["eps"] and attack["steps"] == 1


def test_averaged_weights_are_all_that_is_different() -> None:
    plain, averaged = RECIPES["adversarial-training"], RECIPES["adversarial-training-averaged"]
    assert averaged.objective == plain.objective
    assert averaged.recipe == replace(plain.recipe, average=averaged.recipe.average)
    assert averaged.recipe.average > 0
