"""`python -m benchmarks.stable_gradients --data digits,mnist`: what makes gradients stable, one change at a time.

Every network has the recipe of `local-gradient-alignment`: the same optimizer, schedule, bound of the gradient,
images and seeds. The second row differs from the first in its activation alone, and the third from the second in its
objective alone. It goes on where it was stopped: figures lie in `benchmarks/networks/stable-gradients`. At the end
they are written to `docs/how-to/is-my-explanation-stable.json`, and their tables to the page of that name; `--render`
only writes. MNIST needs `PELLUCID_DATA`.
"""

import argparse
import json
import os
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.mnist_rendering import interval
from benchmarks.timing import machine
from pellucid import data, files, models
from pellucid.data import Data
from pellucid.evaluate.explanations import AdversarialSimilarity, Insertion, MaxSensitivity, RandomSimilarity, judge
from pellucid.explainers import Gradient
from pellucid.objectives import CrossEntropy, Objective
from pellucid.train import RECIPES, Epoch, accuracy, fit

HERE = Path(__file__).parent / "networks" / "stable-gradients"
PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "is-my-explanation-stable.md"
EPS = 0.1
METRICS = {
    "random-similarity": RandomSimilarity(eps=EPS),
    "max-sensitivity": MaxSensitivity(eps=EPS),
    "adversarial-similarity": AdversarialSimilarity(eps=EPS, steps=30),
    "insertion": Insertion(),
}
FIGURES = ("accuracy", *METRICS)
SOFT: Mapping[str, Any] = RECIPES["local-gradient-alignment"].options
STANDARD = Objective.of(CrossEntropy())
ROWS: Mapping[str, tuple[Objective, Mapping[str, Any]]] = {
    "cross-entropy, ReLU": (STANDARD, {}),
    "cross-entropy, Softplus": (STANDARD, SOFT),
    "local-gradient-alignment, Softplus": (RECIPES["local-gradient-alignment"].objective, SOFT),
}
# what the others are compared with, seed by seed
BASE = "cross-entropy, Softplus"


@dataclass(frozen=True)
class Scale:
    """How much of everything: training images (0 for all), epochs, the test images whose maps are judged, seeds."""

    network: str
    images: int
    epochs: int
    batch: int
    judged: int
    seeds: int


SCALES = {"digits": Scale("mlp", 0, 20, 64, 100, 5), "mnist": Scale("lenet", 6000, 10, 64, 100, 3)}


def main() -> None:
    """Train and judge what is missing, and write down what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits,mnist")
    parser.add_argument("--render", action="store_true", help="write the tables only")
    arguments = parser.parse_args()
    for name in [] if arguments.render else arguments.data.split(","):
        source = loaded(name)
        for seed in range(SCALES[name].seeds):
            for row in ROWS:
                if not place(name, row, seed).exists():
                    figures = measured(source, SCALES[name], row, seed)
                    place(name, row, seed).parent.mkdir(parents=True, exist_ok=True)
                    files.write_text(place(name, row, seed), json.dumps({"machine": machine(), **figures}) + "\n")
                    print(name, row, seed, figures, flush=True)
    render()


def loaded(name: str) -> Data:
    """The images, as few of them as the scale says."""
    folder = os.environ.get("PELLUCID_DATA")
    if name == "mnist" and folder is None:
        raise SystemExit("MNIST is looked for in the folder that PELLUCID_DATA names; set it, or leave mnist out")
    source = data.load(name if folder is None or name != "mnist" else Path(folder) / name)
    return replace(source, train=source.train.take(SCALES[name].images)) if SCALES[name].images else source


def measured(source: Data, scale: Scale, row: str, seed: int) -> dict[str, Any]:
    """The figures of one network, and what its terms came to in the first epoch."""
    objective, options = ROWS[row]
    mean, std = data.statistics(source.train)
    model = models.build(scale.network, seed=seed, shape=source.train.shape, mean=mean, std=std, **options)
    recipe = replace(RECIPES["local-gradient-alignment"].recipe, epochs=scale.epochs, batch=scale.batch)
    epochs: list[Epoch] = list(fit(model, source.train, objective, recipe, seed=seed))
    images = source.test.take(torch.arange(scale.judged))
    found = judge(model.eval(), images, METRICS, explainer=Gradient(), seed=seed)
    figures = {name: None if record.mean is None else record.mean.value for name, record in found.items()}
    added = {name: value * epochs[0].weights[name] for name, value in epochs[0].terms.items()}
    return {"accuracy": accuracy(model, source.test).value, **figures, "added in the first epoch": added}


def place(name: str, row: str, seed: int) -> Path:
    """The file of one network's figures."""
    return HERE / name / row.replace(", ", "-") / f"{seed}.json"


def render() -> None:
    """Write every seed's figures beside the page, and the tables into it."""
    known = {name: {row: _seeds(name, row) for row in ROWS} for name in SCALES}
    content = {name: {"scale": vars(SCALES[name]), "rows": rows} for name, rows in known.items()}
    PAGE.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n")
    before, _, rest = PAGE.read_text().partition("<!-- table -->\n")
    _, _, after = rest.partition("<!-- end of table -->\n")
    PAGE.write_text(f"{before}<!-- table -->\n{tabulated(known)}\n<!-- end of table -->\n{after}")


def tabulated(known: Mapping[str, Mapping[str, Any]]) -> str:
    """A table for each data set."""
    return "\n\n".join(table(name, rows) for name, rows in known.items())


def table(name: str, rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Means over seeds with Student's 95 % intervals, then differences from the base by seeds."""
    lines = [f"| {name} | {' | '.join(FIGURES)} |", f"|---|{'---|' * len(FIGURES)}"]
    for row, seeds in rows.items():
        lines.append(
            f"| {row} | {' | '.join(shown([seed[figure] for seed in seeds.values()]) for figure in FIGURES)} |"
        )
    for row, seeds in rows.items():
        if row != BASE:
            cells = [shown(differences(seeds, rows[BASE], figure), sign="+") for figure in FIGURES]
            lines.append(f"| {row}, less {BASE} | {' | '.join(cells)} |")
    return "\n".join(lines)


def differences(seeds: Mapping[str, Any], base: Mapping[str, Any], figure: str) -> list[float]:
    """A figure less the base's with the same seed."""
    return [seed[figure] - base[number][figure] for number, seed in seeds.items()]


def shown(values: list[float], sign: str = "") -> str:
    """A mean and the half-width of its interval."""
    return f"{statistics.mean(values):{sign}.4f}{interval(values, 4)}"


def _seeds(name: str, row: str) -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text()) for path in sorted(place(name, row, 0).parent.glob("*.json"))}


if __name__ == "__main__":
    main()
