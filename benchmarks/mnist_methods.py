"""The rows of the MNIST tables: recipes and presets that `pellucid train` knows, at any scale."""

from collections.abc import Sequence

from pellucid import runs
from pellucid.config import Table

# what `pellucid train RECIPE --preset PRESET` is told; teachers first
ROWS: dict[str, tuple[str, str]] = {
    "standard": ("standard", "mnist-small"),
    "standard, Adam": ("standard", "mnist-small-adam"),
    "standard, Adam, Softplus": ("standard", "mnist-small-softplus"),
    "standard, Adam, Half-Huber": ("standard", "mnist-small-half-huber"),
    "adversarial training": ("adversarial-training", "mnist-small"),
    "magnitude only": ("magnitude-only", "mnist-small"),
    "direction only, robust gradient": ("direction-only", "mnist-small"),
    "IR, random maps": ("interpretation-regularization", "mnist-small-random"),
    "IR, permuted robust SmoothGrad": ("interpretation-regularization", "mnist-small-permuted"),
    "IR, standard gradient": ("interpretation-regularization", "mnist-small-standard-gradient"),
    "IR, standard SmoothGrad": ("interpretation-regularization", "mnist-small-standard"),
    "IR, robust gradient": ("interpretation-regularization", "mnist-small-gradient"),
    "IR, robust SmoothGrad": ("interpretation-regularization", "mnist-small"),
    "Jacobian": ("jacobian", "mnist-small"),
    "double backpropagation": ("double-backprop", "mnist-small"),
    "Hessian": ("hessian", "mnist-small"),
    "adversarial explanations": ("adversarial-explanations", "mnist-small"),
    "local gradient alignment": ("local-gradient-alignment", "mnist-small"),
    "consistency": ("consistency", "mnist-small"),
}


def settings(row: str, source: str, seed: int, changed: Sequence[str] = ()) -> Table:
    """What a row's networks are trained by; `changed` is what another scale changes."""
    recipe, preset = ROWS[row]
    return runs.table(recipe, {"data.source": source, "seed": seed}, changed, preset=preset)


def at_scale(row: str, *, images: int, epochs: int, batch: int, attack_steps: int, samples: int) -> list[str]:
    """What has to be set for so many images, epochs, steps of the attack in training and samples of SmoothGrad."""
    length = {"recipe.epochs": epochs, "recipe.batch": batch}
    attack = {"objective.cross-entropy.at.attack.steps": attack_steps}
    found: dict[str, int] = {"data.first": images, **length}
    if ROWS[row][0] == "adversarial-training":
        found |= attack
    maps = settings(row, "mnist", 0)["references"].get("reference", {})
    if maps.get("kind") == "taught":
        taught = length | (attack if maps["recipe"] == "adversarial-training" else {})
        found |= {f"references.reference.settings.{name}": value for name, value in taught.items()}
        if "samples" in maps["explainer"]:
            found["references.reference.explainer.samples"] = samples
    return [f"{name}={value}" for name, value in found.items()]
