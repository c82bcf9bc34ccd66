"""Train one network per method on digits and audit all six on one page: `make demo`, which resumes."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from lightning_fabric import Fabric
from rich.box import SIMPLE
from rich.console import Console as Terminal
from rich.table import Column, Table

from pellucid import audits, runs
from pellucid.audits import Figure, chosen
from pellucid.cli.screens import audited
from pellucid.cli.screens.screen import Screen
from pellucid.cli.screens.trained import begin, watcher
from pellucid.reasons import Reasons
from pellucid.subjects import Asked

METHODS = (
    *("standard", "adversarial-training", "interpretation-regularization"),
    *("adversarial-explanations", "local-gradient-alignment", "consistency"),
)
TRAINING = ("model.name=lenet", "recipe.batch=64", "recipe.epochs=30")
# 8/255 is half a gray level of these images; attacks on explanations, which take longest, are few and short
SHORT = ("explanations.n=16", "explanations.metrics.adversarial-similarity.steps=10")
AUDIT = ("robustness.linf=[0.025, 0.05, 0.1]", "verdicts.eps=0.1", "gallery.eps=0.1", *SHORT)
FIGURES = ("accuracy", "robust_accuracy(linf, 0.1)", "random-similarity(gradient)", "image-alignment(gradient)")
HEADS = ("right", "right under attack", "gradient steady", "gradient like image")


def trained(method: str, out: Path, training: Sequence[str]) -> str:
    """The folder of a run that is complete."""
    # the teacher of interpretation regularization is the adversarially trained network of this table
    lesson = [f"references.reference.settings.{line}" for line in training if line.startswith("recipe.")]
    # and the published weight, which is MNIST's, leaves a network of 64 pixels hardly sure of anything
    own = [*lesson, "objective.gradient-norm.weight=0.1"] if method == "interpretation-regularization" else []
    spec, images = runs.prepare(runs.table(method, {"data.source": "digits"}, [*training, *own]))
    screen, folder = Screen(), runs.RunFolder(out / spec.folder)
    begin(screen, spec, images, folder)
    with screen.progress() as bar:
        watch = watcher(screen, bar)
        for event in runs.execute(spec, images, folder, Fabric(accelerator="cpu", devices=1)):
            watch(event)
    return str(folder.path)


def main(out: Path, training: Sequence[str] = TRAINING, audit: Sequence[str] = AUDIT, n: int | None = None) -> Path:
    """Train, audit, print the main figures; where the page is that has them all."""
    names = [trained(method, out, training) for method in METHODS]
    place, profile = out / "audit", chosen("quick", audit, n=n, budget="none")
    networks = dict(zip(METHODS, names, strict=True))
    listener = audited.OnScreen(Screen(), METHODS, "test", place)
    asked = Asked(names[0], n=n, device="cpu")
    found = audits.audit(networks, asked, profile, out=place, listener=listener)
    table, reasons = Table(Column("network", no_wrap=True), *HEADS, box=SIMPLE, padding=(0, 1, 0, 0)), Reasons()
    for method in METHODS:
        table.add_row(method, *(spread(found.figures[method][name], reasons) for name in FIGURES))
    words = "On scikit-learn's digits, 95 % intervals. Recipes differ in activation and optimizer too. The page: "
    Terminal(soft_wrap=True).print(table, *reasons.lines(), f"{words}{found.page}", sep="\n")
    return found.page


def spread(figure: Figure, reasons: Reasons) -> str:
    found = figure.estimate
    return f"{found.value:.2f}\n{found.low:.2f}-{found.high:.2f}" if found else reasons.cell(figure.note)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/demo"))
    main(parser.parse_args().out)
