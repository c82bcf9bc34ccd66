"""Every recipe trains from the command line's settings, and goes on after a stop as if there had been none."""

from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from pellucid import models, runs
from pellucid.train import RECIPES, Epoch

# what suits a network of a few units and 8 x 8 pixels, whatever the recipe says
SMALL = ["recipe.epochs=2", "recipe.batch=128", "data.source=digits", "model.name=mlp", "seed=5"]
MAPS = ['references.reference={kind="random-maps"}']


def train(recipe: str, out: Path, *, stop: bool = False) -> Path:
    own = MAPS if RECIPES[recipe].references else []
    settings = runs.table(recipe, {}, [*SMALL, *own])
    spec, images = runs.prepare(settings)
    folder = runs.RunFolder(out / spec.folder)
    for event in runs.execute(spec, images, folder, Fabric(accelerator="cpu", devices=1)):
        if stop and isinstance(event, Epoch):
            break
    return folder.path


# one of each published system in every run of the suite; the others differ from them in their terms and weights
SYSTEMS = {
    *("standard", "interpretation-regularization", "adversarial-explanations"),
    *("local-gradient-alignment", "consistency"),
}


@pytest.mark.filterwarnings("ignore:the term")  # of weights that are too small for these networks
@pytest.mark.parametrize(
    "recipe", [pytest.param(name, marks=[] if name in SYSTEMS else pytest.mark.slow) for name in RECIPES]
)
def test_a_stopped_run_ends_bit_identical(recipe: str, tmp_path: Path) -> None:
    undisturbed = train(recipe, tmp_path / "undisturbed")
    stopped = train(recipe, tmp_path / "stopped", stop=True)
    assert not (stopped / "result.json").exists()
    train(recipe, tmp_path / "stopped")
    assert (stopped / "model.safetensors").read_bytes() == (undisturbed / "model.safetensors").read_bytes()
    assert models.load(str(stopped))(torch.rand(2, 1, 8, 8)).shape == (2, 10)
