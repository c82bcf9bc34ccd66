"""`python -m benchmarks.methods_digits`: the recipes on scikit-learn's digits, one change at a time.

Every network is an `mlp` with the same optimizer, epochs, batches, images and seeds. In the first group all have ReLU
and differ in their objectives and maps alone; in the second all have Half-Huber. It goes on where it was stopped:
figures lie in `benchmarks/networks/methods-digits`. At the end they are written to
`docs/results/methods-digits.json`, and their tables to the page of that name; `--render` only writes.
"""

import argparse
import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

import pellucid
from benchmarks.mnist_rendering import RESULTS, interval
from benchmarks.timing import machine
from pellucid import data, files, models
from pellucid.attacks import PGD, Attack, GaussianNoise
from pellucid.data import Split, sequential
from pellucid.explainers import Gradient
from pellucid.objectives import Adaptive, Align, CrossEntropy, GradientNorm, Lipschitz, Objective
from pellucid.train import RECIPES, Adam, CosineSchedule, Epoch, Recipe, accuracy, fit
from pellucid.train.references import RandomMaps, thresholded

HERE = Path(__file__).parent / "networks" / "methods-digits"
SEEDS = range(3)
RECIPE = Recipe(epochs=10, batch=64, optimizer=Adam(lr=3e-3), schedule=CosineSchedule())
TESTED = 256
ATTACKS: Mapping[str, Attack] = {
    "Linf 0.1": PGD(eps=0.1, steps=20),
    "Linf 0.2": PGD(eps=0.2, steps=20),
    "noise 0.3": GaussianNoise(sigma=0.3),
}


@dataclass(frozen=True)
class Row:
    """What is trained for, the network's options, and whose gradients are the maps (`noise`: random ones)."""

    objective: Objective
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    maps: str = ""


HALF_HUBER = {"activation": "half-huber"}
SHORT = 0.1 * GradientNorm()
ALIGNED = CrossEntropy() + SHORT + 3 * Align()


def penalized(weight: float | Adaptive) -> Row:
    """Adversarial explanations with a weight."""
    return Row(CrossEntropy() + weight * Lipschitz(), HALF_HUBER)


GROUPS: Mapping[str, Mapping[str, Row]] = {
    "ReLU": {
        **{
            name: Row(RECIPES[name].objective)
            for name in (
                *("standard", "noise", "fast", "adversarial-training", "trades", "mart", "consistency"),
                *("jacobian", "double-backprop"),
            )
        },
        "magnitude-only, 0.1": Row(CrossEntropy() + SHORT),
        "maps of adversarial-training": Row(ALIGNED, maps="adversarial-training"),
        "maps of standard": Row(ALIGNED, maps="standard"),
        "noise for maps": Row(ALIGNED, maps="noise"),
    },
    "Half-Huber": {
        "standard": Row(Objective.of(CrossEntropy()), HALF_HUBER),
        "Adaptive(), as published": penalized(Adaptive()),
        "start=4.6": penalized(Adaptive(start=4.6)),
        "start=4.6, gain=0.05, fall=0.1": penalized(Adaptive(start=4.6, gain=0.05, fall=0.1)),
        "start=1, gain=0.05, fall=0.1, level=0.5": penalized(Adaptive(level=0.5, start=1, gain=0.05, fall=0.1)),
    },
}
DIGITS = {"weight": 0, "penalty": 4}
FIGURES = {"ReLU": ("accuracy", *ATTACKS), "Half-Huber": ("accuracy", *ATTACKS, "weight", "cross-entropy", "penalty")}


def main() -> None:
    """Train and measure what is missing, and write down what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--render", action="store_true", help="write the tables only")
    arguments = parser.parse_args()
    for seed in [] if arguments.render else SEEDS:
        for group, rows in GROUPS.items():
            for name in rows:
                file = place(group, name, seed)
                if not file.exists():
                    figures = measured(group, name, seed)
                    file.parent.mkdir(parents=True, exist_ok=True)
                    files.write_text(file, json.dumps({"machine": machine(), **figures}) + "\n")
                    print(group, name, seed, figures, flush=True)
    render()


@cache
def trained(group: str, name: str, seed: int) -> tuple[nn.Module, Epoch]:
    """The network of a row, and its last epoch."""
    row, digits = GROUPS[group][name], data.load("digits")
    mean, std = data.statistics(digits.train)
    model = models.build("mlp", seed=seed, shape=digits.train.shape, mean=mean, std=std, **row.options)
    train = with_maps(digits.train, row, seed) if row.maps else digits.train
    *_, last = fit(model, train, row.objective, RECIPE, seed=seed)
    return model.eval(), last


def with_maps(train: Split, row: Row, seed: int) -> Split:
    """The training images with the maps of the row's teacher, of the same seed."""
    if row.maps == "noise":
        return train.with_column("reference", RandomMaps(seed=seed, threshold=1.0).maps(train))
    teacher, _ = trained("ReLU", row.maps, seed)
    maps = [Gradient().on(teacher, batch, "label").map for batch in train.batches(sequential(train, 256))]
    return train.with_column("reference", thresholded(torch.cat(maps), 1.0))


def measured(group: str, name: str, seed: int) -> dict[str, Any]:
    """The figures of one network."""
    (model, last), test = trained(group, name, seed), data.load("digits").test
    figures = {"accuracy": accuracy(model, test).value}
    for budget, attack in ATTACKS.items():
        figures[budget] = pellucid.measure(model, test.take(TESTED), attack, seed=seed).survived.value
    if group == "Half-Huber" and "lipschitz" in last.terms:
        figures |= {"weight": last.weights["lipschitz"], "penalty": last.terms["lipschitz"]}
    return figures | {"cross-entropy": last.terms.get("cross-entropy")}


def place(group: str, name: str, seed: int) -> Path:
    """The file of one network's figures."""
    return HERE / group / name.replace(", ", "-").replace(" ", "-") / f"{seed}.json"


def render() -> None:
    """Write every seed's figures, and the tables between the marks of the page."""
    known = {group: {name: _seeds(group, name) for name in rows} for group, rows in GROUPS.items()}
    (RESULTS / "methods-digits.json").write_text(json.dumps(known, indent=1) + "\n")
    page = RESULTS / "methods-digits.md"
    before, _, rest = page.read_text().partition("<!-- table -->\n")
    _, _, after = rest.partition("<!-- end of table -->\n")
    page.write_text(f"{before}<!-- table -->\n{tabulated(known)}\n<!-- end of table -->\n{after}")


def tabulated(known: Mapping[str, Mapping[str, Any]]) -> str:
    """A table for each group."""
    return "\n\n".join(table(group, rows) for group, rows in known.items())


def table(group: str, rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Means over seeds with Student's 95 % intervals."""
    lines = [f"| {group} | {' | '.join(FIGURES[group])} |", f"|---|{'---|' * len(FIGURES[group])}"]
    for name, seeds in rows.items():
        cells = [_shown(figure, list(seeds.values())) for figure in FIGURES[group]]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _shown(figure: str, seeds: list[Mapping[str, float]]) -> str:
    values, digits = [seed[figure] for seed in seeds if figure in seed], DIGITS.get(figure, 3)
    if not values:
        return ""
    return f"{statistics.mean(values):.{digits}f}{interval(values, digits)}"


def _seeds(group: str, name: str) -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text()) for path in sorted(place(group, name, 0).parent.glob("*.json"))}


if __name__ == "__main__":
    main()
