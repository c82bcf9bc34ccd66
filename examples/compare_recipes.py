"""Train the three recipes on the digits and draw what they do to accuracy and to input gradients.

python examples/compare_recipes.py            20 epochs each: a minute of work; draws docs/pictures/demo.svg
python examples/compare_recipes.py --smoke    one epoch each of a small network, drawn into the folder of the runs

The gradients are measured by a term of weight 0: it is computed and written down, and pulls at nothing. Needs
matplotlib, which `pip install '.[dev]'` brings.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from lightning_fabric import Fabric
from matplotlib.figure import Figure

from pellucid import runs

WATCHED = "objective.watched={kind='gradient-norm', weight=0.0, of='label-logit', reduction='rms'}"
# dark enough for white pages, light enough for black ones, and apart for every kind of color vision
STYLES = {"standard": ("#d55e00", "-"), "double-backprop": ("#0080c8", "--"), "jacobian": ("#00946e", "-.")}
INK = "#7f7f7f"


def trained(recipe: str, epochs: int, model: str, out: Path) -> runs.RunFolder:
    settings = runs.table(recipe, {"recipe.epochs": epochs, "model.name": model}, [WATCHED])
    spec, images = runs.prepare(settings)
    folder = runs.RunFolder(out / spec.folder)
    for event in runs.execute(spec, images, folder, Fabric(accelerator="cpu", devices=1)):
        if isinstance(event, runs.Finished):
            print(f"{recipe:16} test accuracy {event.test}")
    return folder


def drawn(folders: dict[str, runs.RunFolder]) -> Figure:
    figure = Figure(figsize=(9, 3), layout="constrained")
    learned, gradients, tested = figure.subplots(1, 3)
    for row, (recipe, folder) in enumerate(folders.items()):
        color, dashes = STYLES[recipe]
        epochs = folder.epochs()
        numbers = [epoch.number for epoch in epochs]
        learned.plot(numbers, [epoch.accuracy for epoch in epochs], dashes, color=color, label=recipe)
        # the watched term was added last
        lengths = [list(epoch.terms.values())[-1] for epoch in epochs]
        gradients.plot(numbers, lengths, dashes, color=color)
        test = runs.test_accuracy(folder)
        reach = [[test.value - test.low], [test.high - test.value]]
        tested.errorbar([test.value], [-row], xerr=reach, fmt="o", color=color, capsize=4)
    learned.set(title="accuracy in training", xlabel="epoch")
    gradients.set(title="length of input gradients", xlabel="epoch")
    tested.set(title="test accuracy, 95 % interval", ylim=(-len(folders) + 0.5, 0.5))
    tested.set_yticks([-row for row in range(len(folders))], list(folders))
    learned.legend(frameon=False, loc="lower right")
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Compare the recipes on the digits.")
    parser.add_argument("--smoke", action="store_true", help="one epoch of a small network")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="where the runs go")
    options = parser.parse_args(arguments)
    picture = options.out / "demo.svg" if options.smoke else Path(__file__).parents[1] / "docs/pictures/demo.svg"
    epochs, model = (1, "mlp") if options.smoke else (20, "simple-cnn")
    with mpl.rc_context():
        mpl.rc("text", color=INK)
        mpl.rc("axes", edgecolor=INK, labelcolor=INK)
        mpl.rc("xtick", color=INK)
        mpl.rc("ytick", color=INK)
        mpl.rc("svg", hashsalt="pellucid")  # with no date, the same runs give the same file
        figure = drawn({recipe: trained(recipe, epochs, model, options.out) for recipe in STYLES})
        figure.savefig(picture, transparent=True, metadata={"Date": None})
    print(f"drawn: {picture}")


if __name__ == "__main__":
    main()
