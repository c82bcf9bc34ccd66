"""The networks that attacks are timed on: trained here once, or published, and kept beside the data."""

import os
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from pellucid import data, models
from pellucid.attacks import PGD
from pellucid.data import TensorSplit
from pellucid.objectives import CrossEntropy
from pellucid.randomness import derive
from pellucid.train import Recipe, fit

TRAINED = Path(__file__).parent / "networks"
FOLDER = os.environ.get("PELLUCID_DATA")


def subjects(images: int, kind: str = "") -> dict[str, tuple[nn.Module, Tensor, Tensor, tuple[float, ...]]]:
    """Network, images, labels and Linf budgets by name; `kind` is how the names begin."""
    if FOLDER is None:
        raise SystemExit("these benchmarks measure on MNIST and CIFAR-10; set PELLUCID_DATA to the folder of data")
    mnist = data.load(Path(FOLDER) / "mnist").test.take(images)
    (digits,) = mnist.batches([torch.arange(images)])
    with np.load(Path(FOLDER) / "cifar10" / "cifar10-lossless-test-128.npz") as archive:
        x, y = torch.from_numpy(archive["x"]).float() / 255, torch.from_numpy(archive["y"]).long()
    found = {
        f"mnist-{kind}": (trained(kind), digits.x, digits.y, (0.1, 0.2, 0.25, 0.3)) for kind in ("standard", "robust")
    }
    for name, activation in (("adv-train", "relu"), ("all", "half-huber")):
        weights = Path(FOLDER) / "checkpoints" / f"resnet44-{name}.pt"
        network = models.load("preact-resnet44", weights=weights, options={"activation": activation})
        found[f"resnet44-{name}"] = (network, x[:images], y[:images], (1 / 255, 2 / 255, 4 / 255, 8 / 255))
    return {name: subject for name, subject in found.items() if name.startswith(kind)}


def trained(kind: str) -> nn.Module:
    """A simple CNN on MNIST, trained as usual or on PGD examples at 0.3, the first time that it is asked for."""
    file = TRAINED / f"mnist-{kind}.safetensors"
    model = models.build("simple-cnn", shape=(1, 28, 28), classes=10)
    if not file.exists():
        TRAINED.mkdir(exist_ok=True)
        train = data.load(Path(FOLDER or "") / "mnist").train
        assert isinstance(train, TensorSplit)
        if kind == "standard":
            for _ in fit(model, train.take(20000), CrossEntropy(), Recipe(epochs=3, batch=64), seed=0):
                pass
        else:
            _harden(model, train.take(10000))
        save_file(model.state_dict(), file)
    model.load_state_dict(load_file(file))
    return model.eval()


def _harden(model: nn.Module, train: TensorSplit, epochs: int = 5) -> None:
    """Adversarial training written out: the budget rises to 0.3 over the first epochs, or nothing is learnt."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    steps = len(train) // 100
    for epoch in range(epochs):
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(derive(0, epoch)))
        for step, batch in enumerate(train.batches(order.split(100)[:steps])):
            progress = (epoch + step / steps) / epochs
            attack = PGD(eps=0.3 * min(1.0, 2 * progress + 0.05), steps=5, step=0.3)
            found = attack.on(model, batch, seed=derive(0, epoch, step))
            model.train()
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(found.x), batch.y).backward()
            for group in optimizer.param_groups:
                group["lr"] = 1e-3 * (1 - progress)
            optimizer.step()
