"""What a recipe begins with: networks learn under it, and published settings do not hang on it."""

import hashlib

import pytest

import pellucid
from pellucid import models, runs
from pellucid.data.split import statistics
from pellucid.train import PRESETS, AdamW, CosineSchedule, Recipe

DIGITS = pellucid.data.load("digits")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", ["lenet", "mlp", "simple-cnn"])
def test_networks_learn_the_digits(name: str, seed: int) -> None:
    mean, std = statistics(DIGITS.train)
    network = models.build(name, seed=seed, shape=(1, 8, 8), mean=mean, std=std)
    list(pellucid.fit(network, DIGITS.train, pellucid.CrossEntropy(), Recipe(), seed=seed))
    assert pellucid.accuracy(network, DIGITS.test).value > 0.9


def test_the_defaults_are_those_that_are_documented() -> None:
    assert Recipe() == Recipe(epochs=10, batch=64, optimizer=AdamW(lr=3e-3), schedule=CosineSchedule(warmup=0.1))


def test_published_settings_hang_on_no_default() -> None:
    names = [
        runs.build(runs.table(recipe, preset=preset)).fingerprint
        for preset in PRESETS
        if preset not in ("joo2023-lenet", "joo2023-imagenet100")  # which came later
        for recipe in PRESETS[preset].recipes
    ]
    # their names before the defaults were changed
    assert hashlib.sha256(" ".join(names).encode()).hexdigest()[:12] == "78ba0fcda616"
