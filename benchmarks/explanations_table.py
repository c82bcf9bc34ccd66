"""`python -m benchmarks.explanations_table`: explainers, metrics and networks on MNIST, as the tables of a page.

The networks are those of `benchmarks.mnist_table` at scale `small`, trained where they are not yet. Judgments lie in
their folders and go on where they were stopped. Writes `docs/results/explanations-mnist.json` and the tables in
`docs/results/explanations-mnist.md`. `--seeds` and `--rows` choose parts, so that several processes can share the
work; `--render` only writes.
"""

import argparse
import json
import os
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from benchmarks.mnist_rendering import RESULTS, interval
from benchmarks.mnist_table import SCALES, Table
from benchmarks.timing import machine
from pellucid import data
from pellucid.evaluate.explanations import METRICS, Judged, judge, metrics_named

IMAGES = 32
ROWS = (
    "standard",
    "standard, Adam, Softplus",
    "adversarial training",
    "IR, robust SmoothGrad",
    "adversarial explanations",
    "local gradient alignment",
    "consistency",
)
# what local gradient alignment has besides its terms; what it is compared by are gradients
GRADIENT_ALONE = ("standard, Adam, Softplus",)
EXPLAINERS = (
    "gradient",
    "input-times-gradient",
    "smoothgrad",
    "integrated-gradients",
    "guided-backprop",
    "lrp",
    "grad-cam",
    "layer-activation",
)
JUDGED = (
    "random-similarity",
    "max-sensitivity",
    "adversarial-similarity",
    "insertion",
    "deletion",
    "road",
    "infidelity",
    "cascading-randomization",
    "class-sensitivity",
    "sparsity",
)
SETTINGS = (
    "smoothgrad.samples=10",
    "integrated-gradients.steps=20",
    # as far as one gray level in twelve: what is within a few levels does not tell digits' networks apart
    "random-similarity.eps=0.1",
    "random-similarity.draws=5",
    "max-sensitivity.eps=0.1",
    "max-sensitivity.draws=5",
    "adversarial-similarity.eps=0.1",
    "adversarial-similarity.steps=30",
    "cascading-randomization.stages=2",
    "cascading-randomization.draws=2",
)
CLIMBED = ("adversarial-similarity",)
NOT_CLIMBED = ("smoothgrad", "integrated-gradients")  # through which a step costs many times as much


def main() -> None:
    """Judge what is missing, and write down what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--rows", default="", help="names separated by ';', or all")
    parser.add_argument("--render", action="store_true", help="write the tables only")
    arguments = parser.parse_args()
    folder = os.environ.get("PELLUCID_DATA")
    if folder is None:
        raise SystemExit("these tables are of MNIST; set PELLUCID_DATA to the folder that holds it")
    path = str(Path(folder) / "mnist")
    source = data.load(path)
    table = Table("small", SCALES["small"], path, source, "cpu")
    images = source.test.take(torch.arange(IMAGES))
    for seed in [] if arguments.render else map(int, arguments.seeds.split(",")):
        for row in [row for row in arguments.rows.split(";") if row] or ROWS:
            model = table.network(row, seed)
            for name in EXPLAINERS[:1] if row in GRADIENT_ALONE else EXPLAINERS:
                metrics, explainers = metrics_named(_metrics(name), [name], _own(name))
                folders = {metric: _place(table, row, seed, name, metric) for metric in metrics}
                found = judge(model, images, metrics, explainer=explainers[name], seed=seed, folders=folders)
                shown = {metric: round(one.mean.value, 3) for metric, one in found.items() if one.mean is not None}
                print(row, seed, name, shown, flush=True)
    _render(_known(table))


def _metrics(explainer: str) -> list[str]:
    return [name for name in JUDGED if not (name in CLIMBED and explainer in NOT_CLIMBED)]


def _own(explainer: str) -> list[str]:
    owners = {explainer, *_metrics(explainer)}
    return [setting for setting in SETTINGS if setting.partition(".")[0] in owners]


def _place(table: Table, row: str, seed: int, explainer: str, metric: str) -> Path:
    return table.place(row, seed) / "judged" / f"{explainer}-{metric}"


def _known(table: Table) -> dict[str, Any]:
    """For each metric, explainer and row: every seed's mean and how many images had no value."""
    known: dict[str, Any] = {}
    for metric in JUDGED:
        for name in EXPLAINERS:
            for row in ROWS:
                for seed in range(3):
                    file = _place(table, row, seed, name, metric) / "record.npz"
                    if file.exists():
                        record = Judged.load(file)
                        mean = None if record.mean is None else record.mean.value
                        found = {"mean": mean, "undefined": record.undefined, "settings": record.about["metric"]}
                        known.setdefault(metric, {}).setdefault(name, {}).setdefault(row, {})[str(seed)] = found
    return known


def _render(known: Mapping[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    content = {"machine": machine(), "images": IMAGES, "settings": SETTINGS, "metrics": known}
    (RESULTS / "explanations-mnist.json").write_text(json.dumps(content, indent=1) + "\n")
    page = RESULTS / "explanations-mnist.md"
    before, _, rest = page.read_text().partition("<!-- table -->\n")
    _, _, after = rest.partition("<!-- end of table -->\n")
    page.write_text(f"{before}<!-- table -->\n{tabulated(known)}\n<!-- end of table -->\n{after}")


def tabulated(known: Mapping[str, Any]) -> str:
    """A table for each metric: means over seeds, a row for each explainer and a column for each network."""
    parts: list[str] = []
    for metric, explainers in known.items():
        better = {"higher": "higher is better", "lower": "lower is better", "neither": "neither end is better"}
        parts.append(f"### {metric}, {better[METRICS[metric].better]}\n")
        parts.append(f"| explainer | {' | '.join(ROWS)} |\n|{'---|' * (len(ROWS) + 1)}")
        for name, rows in explainers.items():
            parts.append(f"| {name} | {' | '.join(_cell(rows.get(row, {})) for row in ROWS)} |")
        parts.append("")
    return "\n".join(parts)


def _cell(seeds: Mapping[str, Any]) -> str:
    values = [seed["mean"] for seed in seeds.values() if seed["mean"] is not None]
    if not values:
        return ""
    without = sum(seed["undefined"] for seed in seeds.values())
    lost = f" ({without} without)" if without else ""
    return f"{statistics.mean(values):.3f}{interval(values, 3)}{lost}"


if __name__ == "__main__":
    main()
