"""Every command that writes, so small that it takes no second once everything is imported."""

from pathlib import Path

import numpy as np

RUN = "RUN"
"""What stands for the folder of the one run that there is."""

_SMALL = ["--device", "cpu", "--json"]
WRITING = {
    "runs": ["train", "standard", "--data", "mine.npz", "--model", "mlp", "--set", "recipe.epochs=1", *_SMALL],
    "measurements": ["measure", RUN, "--attack", "gaussian-noise", "--no-verdicts", *_SMALL],
    "judged": ["judge", RUN, "--metric", "sparsity", "--explainer", "gradient", *_SMALL],
    "references": ["references", RUN, "--explainer", "gradient", *_SMALL],
    "importance": ["normlime", RUN, "--n", "4", "--masks", "40", "--cell", "3", *_SMALL],
    "neurons": ["neurons", RUN, "--top", "0.5", "--least", "2", "--traced", "2", *_SMALL],
    "retrained": [
        *["retrain", RUN, "--ranking", "random", "--protocol", "roar", "--fractions", "0.5", "--seeds", "1"],
        *["--set", "recipe.epochs=1", *_SMALL],
    ],
    "studies": ["study", "small.toml", *_SMALL],
    "explanations": ["explain", RUN, "--n", "2", "--explainer", "gradient", *_SMALL],
    "audit": ["audit", RUN, "--n", "4", "--profile", "quick", "--explainer", "gradient", *_SMALL],
}
"""By the folder that each is to write to."""


STUDY = """
summary = "whether attacks find anything"
rows = [{ name = "standard", recipe = "standard" }]

[columns]
accuracy = { kind = "accuracy" }
attacked = { kind = "robust-accuracy", attack = { kind = "pgd", steps = 1 } }

[[claims]]
says = "Noise changes nothing."
first = [{ row = "standard", figure = "attacked" }]
second = [{ row = "standard", figure = "accuracy" }]

[scales.smoke]
settings = { "data.source" = "mine.npz", "model.name" = "mlp", "recipe.epochs" = 1 }
seeds = 2
"""


def write_images(path: Path) -> None:
    """Images of three classes that differ in brightness, and beside them a study of what they teach."""
    path.with_name("small.toml").write_text(STUDY)
    y = np.arange(60) % 3
    shades = np.random.default_rng(0).random((60, 1, 6, 6)) * 85 + 85 * y[:, None, None, None]
    np.savez(path, x=shades.astype(np.uint8), y=y)


def words(command: list[str], folder: str | Path) -> list[str]:
    """A command for the run that lies in `runs`, and the folder that it writes to where it writes."""
    run = str(next(iter(Path("runs").glob("*/spec.toml")), Path(RUN, "none")).parent)
    out = ["--out", str(folder)] if command in WRITING.values() else []
    return [run if word == RUN else word for word in command] + out
