"""ROAR's grid on digits, networks side by side against `fit` for each of them."""

import tempfile
import time
from pathlib import Path

import torch

from benchmarks.timing import alternate, ratio, record
from pellucid import CrossEntropy, Recipe, accuracy, data, fit, models
from pellucid.data import TensorSplit
from pellucid.evaluate import retrain
from pellucid.evaluate.retrain.cells import Cell, Design
from pellucid.evaluate.retrain.materials import Changed, Materials
from pellucid.evaluate.retrain.ranking import Study
from pellucid.evaluate.retrain.retraining import fitting
from pellucid.evaluate.retrain.side_by_side import SideBySide, correct
from pellucid.train import Adam, CosineSchedule

RECIPE = Recipe(epochs=8, batch=64, optimizer=Adam(lr=2e-3), schedule=CosineSchedule())
RANKINGS = ("random", "variance", "gradient", "input-times-gradient")
SEEDS, SAMPLE = 5, 10
NETWORKS: dict[str, dict[str, object]] = {"mlp": {"hidden": (64,)}, "mlp, wide": {}, "lenet": {}}


def run(rounds: int) -> None:
    """Seconds per network of the whole grid side by side, and of every tenth of its networks one by one."""
    found: dict[str, object] = {}
    for name, options in NETWORKS.items():
        with tempfile.TemporaryDirectory() as folder:
            found[name] = _compared(name.partition(",")[0], name, options, Path(folder), rounds)
    record("retraining", {"networks": found, "cells": len(_cells()), "sample": SAMPLE, "epochs": RECIPE.epochs})


def _compared(network: str, name: str, options: dict[str, object], folder: Path, rounds: int) -> dict[str, object]:
    digits = data.load("digits")

    def factory(seed: int) -> torch.nn.Module:
        return models.build(network, seed=seed, shape=digits.train.shape, **options)

    original = factory(0)
    for _ in fit(original, digits.train, CrossEntropy(), RECIPE):
        pass
    study = Study(original.eval(), digits.train, digits.test, folder)
    materials = Materials(study, retrain.rankings_named(RANKINGS), folder / "ranks", unit="pixel", seed=0)
    cells = _cells()
    started = time.perf_counter()
    for key in materials.missing(cells):
        materials.rank(key)
    ranking = time.perf_counter() - started
    together = fitting(factory(0), materials.train[: RECIPE.batch])
    scores: dict[str, dict[str, float]] = {"side by side": {}, "one by one": {}}

    def side_by_side() -> None:
        for first in range(0, len(cells), together):
            group = cells[first : first + together]
            train, test = materials.changed(group)
            side = SideBySide(factory, train, materials.train_labels, RECIPE)
            stacked = side.networks()
            for _ in side.epochs(stacked):
                pass
            right = correct(stacked, test, materials.test_labels).double() / len(digits.test)
            scores["side by side"] |= dict(zip(map(str, group), right.tolist(), strict=True))

    def one_by_one() -> None:
        for cell in cells[:: len(cells) // SAMPLE]:
            train, test = materials.changed([cell])
            model = factory(cell.seed)
            for _ in fit(model, _split(train, materials.train_labels), CrossEntropy(), RECIPE, seed=cell.seed):
                pass
            scores["one by one"][str(cell)] = accuracy(model, _split(test, materials.test_labels)).value

    seconds = alternate({"side by side": side_by_side, "one by one": one_by_one}, rounds, warm=False)
    alone = [time / SAMPLE for time in seconds["one by one"]]
    beside = [time / len(cells) for time in seconds["side by side"]]
    gain = ratio(alone, beside)
    apart = max(abs(score - scores["side by side"][cell]) for cell, score in scores["one by one"].items())
    print(f"retraining {len(cells)} networks of {name}, {together} at once: {gain} as fast as one by one", flush=True)
    print(
        f"  rankings took {ranking:.1f} s; accuracies of {SAMPLE} networks differ by {apart:.4f} at most", flush=True
    )
    return {
        "together": together,
        "one by one": alone,
        "side by side": beside,
        "ratio": [gain.median, gain.low, gain.high],
        "ranking": ranking,
        "largest difference of accuracies": apart,
    }


def _cells() -> list[Cell]:
    return Design(("roar",), seeds=SEEDS).cells(RANKINGS)


def _split(changed: Changed, labels: torch.Tensor) -> TensorSplit:
    (images,) = changed(torch.arange(len(labels))[None])
    return TensorSplit(images, labels, tuple("0123456789"))
