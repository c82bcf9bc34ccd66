"""Slopes of the published networks of Adversarial Explanations, as measured with their authors' code."""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from pellucid.batch import Batch
from pellucid.models import load
from pellucid.models.preact_resnet44 import SAFE
from pellucid.objectives import Adaptive, Lipschitz
from pellucid.probe import Probe

FOLDER = os.environ.get("PELLUCID_DATA")
pytestmark = [pytest.mark.data, pytest.mark.skipif(FOLDER is None, reason="PELLUCID_DATA names no folder of data")]


def checkpoint(name: str) -> Path:
    return Path(FOLDER or "") / "checkpoints" / f"resnet44-{name}.pt"


def looked(name: str, activation: str) -> Probe:
    """The network at the first 64 test images."""
    with np.load(Path(FOLDER or "") / "cifar10" / "cifar10-lossless-test-128.npz") as archive:
        x, y = torch.from_numpy(archive["x"][:64]).float() / 255, torch.from_numpy(archive["y"][:64]).long()
    model = load("preact-resnet44", weights=checkpoint(name), options={"activation": activation})
    return Probe(model.eval(), Batch(x, y), second_order=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "activation", "logits", "margin", "mixed"),
    [
        ("adv-train", "relu", 4.2298e-3, 6.4538e-3, 4.6746e-3),
        ("all", "half-huber", 6.9399e-5, 8.9058e-5, 7.3331e-5),
    ],
)
def test_slopes(name: str, activation: str, logits: float, margin: float, mixed: float) -> None:
    probe = looked(name, activation)
    found, alone = (float(Lipschitz(tandem=tandem, samples="all")(probe)) for tandem in (0.2, 1.0))
    assert [found, alone] == pytest.approx([mixed, margin], rel=0.01)
    assert (found - 0.2 * alone) / 0.8 == pytest.approx(logits, rel=0.01)


def test_the_weight_that_the_published_state_means() -> None:
    with warnings.catch_warnings(), torch.serialization.safe_globals(SAFE):
        warnings.simplefilter("ignore")
        state = torch.load(checkpoint("all"), map_location="cpu", weights_only=True)
    weight = Adaptive()
    weight.integral = torch.as_tensor(state["training_options"]["robust_integration"], dtype=torch.float64)
    now = float(weight.step(torch.tensor(1.5, dtype=torch.float64)))
    assert now == pytest.approx(14240.82, abs=0.01)
    assert now * 7.3331e-5 == pytest.approx(1.044, abs=1e-3), "times the slopes above, about the size of the loss"
