"""Train one network per recipe on scikit-learn's digits and compare them: `make demo`.

About half a minute on two cores. A second call finds the runs complete and only draws the table again.
"""

import argparse
from pathlib import Path

import torch
from lightning_fabric import Fabric
from rich.box import SIMPLE
from rich.console import Console as Terminal
from rich.table import Table
from torch import Tensor

from pellucid import L2, Estimate, Probe, frozen, models, runs
from pellucid.console import Console
from pellucid.data import Split, sequential
from pellucid.probe import Quantity
from pellucid.train import RECIPES

SETTINGS = ("recipe.epochs=20", "recipe.batch=64", "model.name=simple-cnn")


def main(out: Path, settings: tuple[str, ...] = SETTINGS) -> None:
    """Train, measure, and print what came out."""
    console = Console()
    table = Table(
        "recipe", "test accuracy", "loss gradient", "logit gradient", title="scikit-learn's digits", box=SIMPLE
    )
    for recipe in RECIPES:
        spec, images = runs.prepare(runs.table(recipe, {"data.source": "digits"}, settings))
        folder = runs.RunFolder(out / spec.folder)
        console.begin(spec, images, folder)
        with console.progress() as watch:
            for event in runs.execute(spec, images, folder, Fabric(accelerator="cpu", devices=1)):
                watch(event)
        table.add_row(
            recipe,
            spread(runs.test_accuracy(folder)),
            spread(gradient_length(folder, images.test, "loss")),
            spread(gradient_length(folder, images.test, "label-logit")),
        )
    note = f"Mean length of input gradients; 95 % intervals over the test images. A folder per run in {out}"
    Terminal().print(table, note, sep="\n")


def gradient_length(folder: runs.RunFolder, split: Split, of: Quantity) -> Estimate:
    """How long input gradients are: the shorter, the less a small change of the pixels can do."""
    lengths: list[Tensor] = []
    with frozen(models.load(str(folder.path))) as model:
        for batch in split.batches(sequential(split, 256)):
            gradient = Probe(model, batch, second_order=False).gradient(of)
            lengths.append(L2().size(gradient))
    return Estimate.mean(torch.cat(lengths))


def spread(estimate: Estimate) -> str:
    """An estimate with its interval."""
    return f"{estimate.value:.3f} ({estimate.low:.3f}-{estimate.high:.3f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/demo"))
    parser.add_argument("--smoke", action="store_true", help="two epochs of a small network")
    arguments = parser.parse_args()
    main(arguments.out, ("recipe.epochs=2", "model.name=mlp") if arguments.smoke else SETTINGS)
