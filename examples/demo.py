"""Train one network per method on scikit-learn's digits and compare them: `make demo`.

About a minute on two cores. A second call finds the runs complete and only draws the table again.
"""

import argparse
from pathlib import Path

import torch
from lightning_fabric import Fabric
from rich.box import SIMPLE
from rich.console import Console as Terminal
from rich.table import Column, Table
from torch import Tensor

from pellucid import L2, Estimate, Probe, frozen, measure, models, runs
from pellucid.attacks import PGD
from pellucid.console import Console
from pellucid.data import Split, sequential

METHODS = (
    "standard",
    "adversarial-training",
    "interpretation-regularization",
    "adversarial-explanations",
    "local-gradient-alignment",
    "consistency",
)
ATTACK = PGD(eps=0.1, steps=20)
SETTINGS = ("recipe.epochs=20", "recipe.batch=64", "model.name=mlp")


def main(out: Path, settings: tuple[str, ...] = SETTINGS) -> None:
    """Train, measure, and print what came out."""
    console = Console()
    columns = ("test accuracy", f"under PGD, Linf {ATTACK.eps:g}", "logit gradient")
    table = Table(Column("recipe", no_wrap=True), *columns, title="scikit-learn's digits", box=SIMPLE)
    for recipe in METHODS:
        # the teacher of interpretation regularization is the adversarially trained network of this table
        lesson = [f"references.reference.settings.{line}" for line in settings if line.startswith("recipe.")]
        own = lesson if recipe == "interpretation-regularization" else []
        spec, images = runs.prepare(runs.table(recipe, {"data.source": "digits"}, [*settings, *own]))
        folder = runs.RunFolder(out / spec.folder)
        console.begin(spec, images, folder)
        with console.progress() as watch:
            for event in runs.execute(spec, images, folder, Fabric(accelerator="cpu", devices=1)):
                watch(event)
        table.add_row(
            recipe,
            spread(runs.test_accuracy(folder)),
            spread(measure(models.load(str(folder.path)), images.test, ATTACK).robust_accuracy(ATTACK.eps)),
            spread(gradient_length(folder, images.test)),
        )
    note = f"Logit gradient: its mean length. 95 % intervals over the test images. A folder per run in {out}"
    Terminal().print(table, note, sep="\n")


def gradient_length(folder: runs.RunFolder, split: Split) -> Estimate:
    """How long input gradients are: the shorter, the less a small change of the pixels can do."""
    lengths: list[Tensor] = []
    with frozen(models.load(str(folder.path))) as model:
        for batch in split.batches(sequential(split, 256)):
            gradient = Probe(model, batch, second_order=False).gradient("label-logit")
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
    main(arguments.out, ("recipe.epochs=2", "recipe.batch=64", "model.name=mlp") if arguments.smoke else SETTINGS)
