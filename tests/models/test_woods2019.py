"""The published networks of Adversarial Explanations, against what was measured with their own code."""

import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.errors import WeightsError
from pellucid.models import build, fit_weights, load, read_weights
from pellucid.models.activations import Activation
from pellucid.models.preact_resnet44 import is_published

FOLDER = os.environ.get("PELLUCID_DATA")
data = [pytest.mark.data, pytest.mark.skipif(FOLDER is None, reason="PELLUCID_DATA names no folder of data")]


class Network(NamedTuple):
    file: str
    activation: str
    right: int  # of the first 128 test images
    accuracy: float  # of the first 1017, and so on
    jacobian: float
    margin: float
    spread: float
    loss: float


NETWORKS = [
    Network("resnet44-adv-train.pt", "relu", 117, 0.87512, 4.2298e-3, 6.4538e-3, 3.9337, 0.4942),
    Network("resnet44-all.pt", "half-huber", 92, 0.67748, 6.9399e-5, 8.9058e-5, 0.97167, 1.3461),
]


def checkpoint(network: Network) -> Path:
    return Path(FOLDER or "") / "checkpoints" / network.file


def trained(network: Network) -> nn.Module:
    return load("preact-resnet44", weights=checkpoint(network), options={"activation": network.activation})


def images() -> tuple[Tensor, Tensor]:
    with np.load(Path(FOLDER or "") / "cifar10" / "cifar10-lossless-test-128.npz") as archive:
        return torch.from_numpy(archive["x"]).float() / 255, torch.from_numpy(archive["y"]).long()


def squared_gradient(outputs: Tensor, x: Tensor) -> float:
    return torch.autograd.grad(outputs.sum(), x, retain_graph=True)[0].square().mean().item()


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.file)
class TestPublished:
    pytestmark = data

    def test_accuracy(self, network: Network) -> None:
        x, y = images()
        with torch.no_grad():
            right = int((trained(network)(x).argmax(1) == y).sum())
        assert right == network.right
        error = (network.accuracy * (1 - network.accuracy) / 128) ** 0.5
        assert right / 128 == pytest.approx(network.accuracy, abs=2 * error)

    @pytest.mark.slow
    def test_statistics_of_input_gradients(self, network: Network) -> None:
        x, y = (column[:64] for column in images())
        x.requires_grad_()
        logits = trained(network)(x)
        assert logits.std().item() == pytest.approx(network.spread, rel=1e-3)
        assert F.cross_entropy(logits, y).item() == pytest.approx(network.loss, rel=1e-3)
        jacobian = sum(squared_gradient(logits[:, k], x) for k in range(10)) / 10
        assert jacobian == pytest.approx(network.jacobian, rel=0.01)
        label = F.one_hot(y, 10).bool()
        margin = logits[label] - logits.masked_fill(label, -torch.inf).amax(1)
        assert squared_gradient(margin, x) == pytest.approx(network.margin, rel=0.01)

    def test_every_tensor_of_the_file_has_its_place(self, network: Network) -> None:
        weights = read_weights(checkpoint(network))
        assert len(weights) == (306 if network.activation == "half-huber" else 263)
        model = trained(network)
        assert model.get_buffer("normalize.mean").tolist() == weights["input_offset"][0].tolist()
        assert torch.equal(model.get_parameter("stage2.0.shortcut.weight"), weights["pipe.2.0.shortcut.weight"])
        assert torch.equal(model.get_parameter("stage3.6.conv2.weight"), weights["pipe.3.6.main.3.weight"])


def renumbered(model: nn.Module, width: float | None) -> dict[str, Tensor]:
    """Weights in the published form: what `translated` must undo."""
    ours = model.state_dict()
    theirs = {"input_offset": torch.stack([ours.pop("normalize.mean"), ours.pop("normalize.std")])}
    parts = {"stem": "pipe.0", "norm": "pipe.4", "head": "pipe.7"} | {f"stage{n}": f"pipe.{n}" for n in (1, 2, 3)}
    inner = {"norm1": "pre.0", "conv1": "main.0", "norm2": "main.1", "conv2": "main.3", "shortcut": "shortcut"}
    for name, tensor in ours.items():
        first, *rest = name.split(".")
        theirs[".".join([parts[first], *(inner.get(part, part) for part in rest)])] = tensor
    return theirs if width is None else theirs | {"pipe.5.d": torch.tensor(width)}


@pytest.mark.parametrize(
    ("activation", "width"), [("relu", None), ("half-huber", 0.5), ({"name": "half-huber", "delta": 0.25}, 0.25)]
)
def test_published_names_become_ours(activation: Activation, width: float | None) -> None:
    model = build("preact-resnet44", activation=activation, seed=1)
    theirs = renumbered(model, width)
    assert is_published(theirs) and not is_published(model.state_dict())
    other = build("preact-resnet44", activation=activation, seed=2, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    fit_weights(other, theirs, "there")
    assert all(torch.equal(tensor, other.state_dict()[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize(
    ("activation", "width", "message"),
    [
        (
            "relu",
            0.5,
            "there was trained with half-huber of delta=0.5 and the model has none; "
            "build it with activation={'name': 'half-huber', 'delta': 0.5}",
        ),
        (
            {"name": "half-huber", "delta": 0.25},
            0.5,
            "there was trained with half-huber of delta=0.5 and the model has another; "
            "build it with activation={'name': 'half-huber', 'delta': 0.5}",
        ),
        (
            "half-huber",
            None,
            "there was trained with relu and the model has half-huber; build it with activation='relu'",
        ),
    ],
)
def test_another_activation_than_in_training_is_refused(
    activation: Activation, width: float | None, message: str
) -> None:
    model = build("preact-resnet44", activation=activation)
    with pytest.raises(WeightsError, match=f"^{re.escape(message)}$"):
        fit_weights(model, renumbered(model, width), "there")
