"""One small command for each long work, and what it leaves."""

from dataclasses import dataclass
from pathlib import Path

SMALL = ["--device", "cpu", "--json"]
ON_MLP = ["mlp", "--data", "digits", "--n", "48", "--seed", "3", *SMALL]


@dataclass(frozen=True)
class Work:
    """A command, and the folder below the current one that it works in."""

    name: str
    command: tuple[str, ...]
    place: str

    def left(self, folder: Path) -> Path:
        """Where its results are."""
        return folder / self.place


# a plug-in, since a profile of the library is too long to be started hundreds of times
PROFILE = """
from pellucid.audits import Decided, Gradients, Profile, Robust
from pellucid.evaluate.explanations import ImageAlignment

PROFILE = Profile(
    "to be disturbed",
    {
        "decisions": Decided(),
        "robustness": Robust(n=8, nearest=8, linf=(0.1,), l2=(), steps=2, nearest_steps=2, repeated=1),
        "gradients": Gradients({"image-alignment": ImageAlignment()}, n=8),
    },
)
"""

WORKS = {
    work.name: work
    for work in (
        Work(
            "train",
            (
                *("train", "standard", "--model", "mlp", "--set", "recipe.epochs=2", "--set", "recipe.batch=256"),
                *("--seed", "5", *SMALL),
            ),
            "runs",
        ),
        Work(
            "measure",
            (
                "measure",
                *ON_MLP,
                "--attack",
                "pgd",
                "--eps",
                "0.1",
                "--set",
                "steps=3",
                "--batch",
                "16",
                "--no-verdicts",
            ),
            "measurements",
        ),
        Work(
            "judge",
            ("judge", *ON_MLP, "--metric", "sparsity", "--explainer", "gradient", "--batch", "16"),
            "judgments",
        ),
        Work(
            "references",
            ("references", "mlp", "--data", "digits", "--explainer", "gradient", "--of", "predicted", *SMALL),
            "references",
        ),
        Work(
            "normlime",
            ("normlime", "mlp", "--data", "digits", "--n", "24", "--masks", "40", "--cell", "2", *SMALL),
            "importance",
        ),
        Work(
            "neurons",
            (
                *("neurons", "mlp", "--data", "digits", "--n", "40", "--traced", "4", "--draws", "5"),
                *("--eps", "0.3", "--set", "steps=2", "--targets", "2", *SMALL),
            ),
            "neurons",
        ),
        Work(
            "retrain",
            (
                *("retrain", "mlp", "--data", "digits", "--option", "hidden=[8]", "--ranking", "random,variance"),
                *("--set", "recipe.epochs=1", "--fractions", "0.5", "--seeds", "2", *SMALL),
            ),
            "retrained",
        ),
        Work(
            "audit",
            ("audit", "mlp", "--data", "digits", "--n", "20", "--profile", "disturbed", "--seed", "3", *SMALL),
            "audit",
        ),
    )
}


def prepare(folder: Path) -> None:
    """Put into a folder what its commands need: the profile, as a plug-in."""
    (folder / "disturbed_profile.py").write_text(PROFILE)
    metadata = folder / "disturbed-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: disturbed\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[pellucid.profiles]\ndisturbed = disturbed_profile:PROFILE\n")
