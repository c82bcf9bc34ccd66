"""`python -m benchmarks.neuron_consistency`: neurons before and after consistent training, on MNIST, 3 seeds.

The networks are those of `benchmarks.mnist_table --scale small`. It goes on where it was stopped: what neurons say
lies beside each network. At the end the figures and the table in `docs/results/` are written anew; `--render` only
writes.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import torch

from benchmarks.mnist_rendering import RESULTS, interval
from benchmarks.mnist_table import SCALES, Table
from benchmarks.timing import machine
from pellucid import data, files
from pellucid.attacks import PGD, LowestLoss
from pellucid.evaluate.neurons import Probing, examine, findings
from pellucid.metrics.neurons import Identity, Reading

ROWS = ("standard", "adversarial training", "consistency")
LAYERS = ("activation2", "activation3")
ATTACK = PGD(eps=0.2, steps=20, goal=LowestLoss())
HOW = Reading()
# heading, figure, and which attacked images it counts
COLUMNS = (
    ("level", "identity", "all"),
    ("above chance", "identity_corrected", "all"),
    ("beyond", "beyond", "all"),
    ("led away", "share_succeeded", "all"),
    *((f"{name}, {which}", figure, which) for which in ("all", "succeeded") for name, figure in (
        ("CS1", "content"),
        ("CS2", "target"),
        ("CS1 - CS2", "difference"),
        ("r_mean", "r_mean"),
        ("r_inst", "r_inst"),
    )),
    ("AUROC errors", "auroc_errors", "all"),
    ("AUROC attacks", "auroc_attacks", "all"),
)  # fmt: skip


def main() -> None:
    """Examine what is missing, and write down what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default=";".join(ROWS), help="names separated by ';'")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--targets", type=int, default=3)
    parser.add_argument("--traced", type=int, default=200)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--render", action="store_true", help="write the table only")
    arguments = parser.parse_args()
    folder = os.environ.get("PELLUCID_DATA")
    if folder is None:
        raise SystemExit("this table is of MNIST; set PELLUCID_DATA to the folder that holds it")
    path = str(Path(folder) / "mnist")
    table = Table("small", SCALES["small"], path, data.load(path), arguments.device)
    probing = Probing(LAYERS, attack=ATTACK, targets=arguments.targets, traced=arguments.traced)
    for seed in [] if arguments.render else map(int, arguments.seeds.split(",")):
        for row in arguments.rows.split(";"):
            found = measured(table, row, seed, probing, arguments.images)
            files.write_text(_file(table, row, seed), json.dumps({"machine": machine(), **found}, indent=1) + "\n")
            print(
                row, seed, {layer: round(found[layer]["all"]["identity"]["value"], 3) for layer in LAYERS}, flush=True
            )
    render({row: _known(table, row) for row in ROWS})


def measured(table: Table, row: str, seed: int, probing: Probing, images: int) -> dict[str, Any]:
    """The figures of each layer, by which attacked images count."""
    model, place = table.network(row, seed), table.place(row, seed)
    split = data.sample(table.source.test, images, seed=seed).to(table.device)
    examined = examine(model, split, probing, place, seed=seed)
    content: dict[str, Any] = {"images": images, "targets": probing.targets, "traced": probing.traced}
    counted = {which: findings(examined, Identity(), HOW, which=which, seed=seed) for which in ("all", "succeeded")}
    for number, layer in enumerate(probing.layers):
        content[layer] = {which: found[number].content() for which, found in counted.items()}
    return content


def render(known: dict[str, dict[str, Any]]) -> None:
    """Write every seed's figures, and a table for each layer between the marks of the page, where there is one."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "neurons-mnist.json").write_text(json.dumps(known, indent=1) + "\n")
    page = RESULTS / "neurons-mnist.md"
    if not page.exists():
        page.write_text("# Neurons on MNIST\n\n<!-- table -->\n<!-- end of table -->\n")
    before, _, rest = page.read_text().partition("<!-- table -->\n")
    _, _, after = rest.partition("<!-- end of table -->\n")
    page.write_text(f"{before}<!-- table -->\n{tabulated(known)}\n<!-- end of table -->\n{after}")


def tabulated(known: dict[str, dict[str, Any]]) -> str:
    """A table for each layer."""
    return "\n\n".join(f"### {layer}\n\n{rendered(known, layer)}" for layer in LAYERS)


def rendered(known: dict[str, dict[str, Any]], layer: str) -> str:
    """A row for each figure and a column for each training: means over seeds with Student's 95 % intervals."""
    rows = [row for row in known if known[row]]
    lines = [f"| figure | {' | '.join(f'{row} ({len(known[row])})' for row in rows)} |", f"|---|{'---|' * len(rows)}"]
    for heading, figure, which in COLUMNS:
        cells = [_cell([_value(seed[layer][which], figure) for seed in known[row].values()]) for row in rows]
        lines.append(f"| {heading} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _value(figures: dict[str, Any], figure: str) -> float | None:
    if figure == "share_succeeded":
        return figures["succeeded"] / figures["tried"] if figures["tried"] else None
    return None if figures[figure] is None else figures[figure]["value"]


def _cell(values: list[float | None]) -> str:
    """Seeds where a figure is missing are left out, and counted."""
    there = [value for value in values if value is not None]
    if not there:
        return "none"
    missing = f" ({len(there)} seeds)" if len(there) < len(values) else ""
    return f"{sum(there) / len(there):.3f}{interval(there, 3)}{missing}"


def _known(table: Table, row: str) -> dict[str, Any]:
    paths = sorted(table.place(row, 0).parent.glob("*/neurons.json"))
    return {path.parent.name: json.loads(path.read_text()) for path in paths}


def _file(table: Table, row: str, seed: int) -> Path:
    return table.place(row, seed) / "neurons.json"


if __name__ == "__main__":
    main()
