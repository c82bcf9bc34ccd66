"""`python -m benchmarks.mnist_table --scale small`: every method on MNIST over several seeds, as one table.

It goes on where it was stopped: networks, maps and measurements lie in `benchmarks/networks/mnist-SCALE`. With every
method that is complete the figures and the table in `docs/results/` are written anew. `--rows` and `--seeds` choose
parts, so that several processes can share the work; `--render` only writes.
"""

import argparse
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

import pellucid
from benchmarks.mnist_methods import ROWS, at_scale, settings
from benchmarks.mnist_rendering import render
from benchmarks.timing import machine
from pellucid import data, files, models, runs
from pellucid.attacks import FMN, Attack, AutoAttack, BelowChance, Engine, Misclassified, noack2021
from pellucid.data import Data, Split, sequential
from pellucid.explainers import Gradient
from pellucid.norms import RMS

# searches in bfloat16, decisions in float32: twice as fast on processors that have it
SEARCH = Engine("bf16-mixed")
HERE = Path(__file__).parent / "networks"
BUDGETS: dict[str, Attack] = {
    "L2 1.5": noack2021.MNIST_L2_WEAK,
    "L2 2.5": noack2021.MNIST_L2_STRONG,
    "L2 3.5": noack2021.MNIST_L2_VERY_STRONG,
    "Linf .1": noack2021.MNIST_LINF_WEAK,
    "Linf .2": noack2021.MNIST_LINF_STRONG,
    "Linf .25": noack2021.MNIST_LINF_VERY_STRONG,
    "Linf .3": noack2021.MNIST_LINF_STRONGEST,
}


@dataclass(frozen=True)
class Scale:
    """How much of everything."""

    images: int
    epochs: int
    attack_steps: int
    samples: int
    tested: int
    nearest: int
    auto_attack: int
    auto_attack_eps: float
    batch: int = 50


SCALES = {
    "smoke": Scale(200, 1, 2, 2, 20, 10, 2, 0.1),
    # AutoAttack on the few images that there is time for would tell no two methods apart
    "small": Scale(3000, 5, 7, 10, 200, 64, 0, 0.1),
    "medium": Scale(20000, 5, 10, 20, 500, 200, 100, 0.1),
    "published": Scale(60000, 100, 40, 50, 10000, 1000, 1000, 0.1),
}


@dataclass(frozen=True)
class Table:
    """A scale, where MNIST lies, and where the files of the table do."""

    name: str
    scale: Scale
    path: str
    source: Data
    device: str

    @property
    def folder(self) -> Path:
        """Networks, maps and measurements."""
        return HERE / f"mnist-{self.name}"

    def place(self, row: str, seed: int) -> Path:
        """The folder of one network."""
        return self.folder / row.replace(", ", "-").replace(" ", "-").lower() / str(seed)

    def network(self, row: str, seed: int) -> nn.Module:
        """The network of a row, trained where it is not yet, its teacher before it; what is typed trains the same."""
        scale = self.scale
        sizes = {"images": scale.images, "epochs": scale.epochs, "batch": scale.batch}
        # the scale of the presets themselves needs no changes
        changed = (
            []
            if self.name == "small"
            else at_scale(row, **sizes, attack_steps=scale.attack_steps, samples=scale.samples)
        )
        spec, images = runs.prepare(settings(row, self.path, seed, changed))
        run = runs.RunFolder(self.folder / "runs" / spec.folder)
        accelerator = torch.device(self.device).type
        for _ in runs.execute(spec, images, run, Fabric(accelerator=accelerator, devices=1)):
            pass
        return models.load(str(run.path)).to(self.device).eval()

    def measured(self, row: str, seed: int) -> dict[str, float]:
        """Every figure of one network, as plain numbers; the records stay in its folder."""
        model, place, scale = self.network(row, seed), self.place(row, seed), self.scale
        test = self.source.test.to(self.device)
        figures = {"clean": pellucid.train.accuracy(model, test).value}
        for name, attack in BUDGETS.items():
            record = pellucid.measure(
                model, test.take(scale.tested), attack, seed=seed, folder=place / _slug(name), engine=SEARCH
            )
            figures[name] = record.robust_accuracy(attack.budget).value
        if scale.auto_attack:
            auto = AutoAttack(eps=scale.auto_attack_eps)
            # few images, so each seed has its own
            own = test.take(torch.arange(scale.auto_attack) + seed * scale.auto_attack)
            record = pellucid.measure(model, own, auto, seed=seed, folder=place / "auto-attack", engine=SEARCH)
            figures["AutoAttack"] = record.robust_accuracy(auto.eps).value
        for name, goal in {"attack area": Misclassified(), "chance area": BelowChance()}.items():
            nearest = FMN(norm=RMS(), goal=goal)
            record = pellucid.measure(model, test.take(scale.nearest), nearest, seed=seed, folder=place / _slug(name))
            figures[name] = record.area().value
        return figures | self._gradients(model, seed, test.take(scale.tested))

    def _gradients(self, model: nn.Module, seed: int, test: Split) -> dict[str, float]:
        """How long the gradients of the label's logit are, and how much like a robust network's."""
        teacher = self.network("adversarial training", seed)
        lengths, cosines = [], []
        for batch in test.batches(sequential(test, 100)):
            own, robust = (Gradient().on(network, batch, "label").map.flatten(1) for network in (model, teacher))
            lengths.append(own.norm(dim=1))
            cosines.append(torch.cosine_similarity(own, robust))
        return {"gradient": float(torch.cat(lengths).mean()), "cosine": float(torch.cat(cosines).mean())}


def main() -> None:
    """Train and measure what is missing, and write down what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--rows", default="", help="names separated by ';', or all")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--render", action="store_true", help="write the table only")
    arguments = parser.parse_args()
    folder = os.environ.get("PELLUCID_DATA")
    if folder is None:
        raise SystemExit("this table is of MNIST; set PELLUCID_DATA to the folder that holds it")
    path = str(Path(folder) / "mnist")
    table = Table(arguments.scale, SCALES[arguments.scale], path, data.load(path), arguments.device)
    rows = [row for row in arguments.rows.split(";") if row] or list(ROWS)
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    for seed in [] if arguments.render else seeds:
        for row in rows:
            file = table.place(row, seed) / "figures.json"
            if not file.exists():
                figures = table.measured(row, seed)
                files.write_text(file, json.dumps({"machine": machine(), **figures}, indent=2))
                print(row, seed, {name: round(value, 3) for name, value in figures.items()}, flush=True)
    render(table.name, asdict(table.scale), {row: _known(table, row) for row in ROWS})


def _known(table: Table, row: str) -> dict[str, Any]:
    return {
        path.parent.name: json.loads(path.read_text())
        for path in sorted(table.place(row, 0).parent.glob("*/figures.json"))
    }


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-")


if __name__ == "__main__":
    main()
