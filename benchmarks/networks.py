"""The networks that attacks are timed on: trained here once, or published, and kept beside the data."""

import os
from collections.abc import Callable
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
from pellucid.train import SGD, CosineSchedule, Recipe, fit

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
        network = _published(name, activation)
        found[f"resnet44-{name}"] = (network, x[:images], y[:images], (1 / 255, 2 / 255, 4 / 255, 8 / 255))
    return {name: subject for name, subject in found.items() if name.startswith(kind)}


def nursery(images: int, kind: str) -> dict[str, tuple[nn.Module, Tensor, Tensor]]:
    """A plainly and an adversarially trained network of one kind (digits, mnist, cifar), with images and labels."""
    if kind == "cifar":
        with np.load(Path(FOLDER or "") / "cifar10" / "cifar10-lossless-test-128.npz") as archive:
            x, y = (
                torch.from_numpy(archive["x"][:images]).float() / 255,
                torch.from_numpy(archive["y"][:images]).long(),
            )
        networks = {"cifar-standard": ordinary(), "cifar-robust": _published("adv-train", "relu").eval()}
        return {name: (network, x, y) for name, network in networks.items()}
    test = data.load("digits" if kind == "digits" else Path(FOLDER or "") / "mnist").test.take(images)
    (batch,) = test.batches([torch.arange(images)])
    return {f"{kind}-{way}": (trained(way, kind), batch.x, batch.y) for way in ("standard", "robust")}


def trained(kind: str, source: str = "mnist") -> nn.Module:
    """A simple CNN on MNIST or digits, trained as usual or on PGD examples, the first time that it is asked for."""
    epochs, most, eps = {"mnist": (3, 20000, 0.3), "digits": (20, 2000, 0.15)}[source]
    train = data.load("digits" if source == "digits" else Path(FOLDER or "") / "mnist").train
    assert isinstance(train, TensorSplit)
    model = models.build("simple-cnn", shape=train.shape, classes=10)

    def learn() -> None:
        if kind == "standard":
            recipe = Recipe(epochs=epochs, batch=64, optimizer=SGD(), schedule=CosineSchedule())
            for _ in fit(model, train.take(most), CrossEntropy(), recipe, seed=0):
                pass
        else:
            _harden(model, train.take(most // 2 if source == "mnist" else most), epochs=epochs + 2, eps=eps)

    return _kept(model, f"{source}-{kind}", learn)


def ordinary() -> nn.Module:
    """The published network of adversarial training after two epochs of plain training, fast enough to forget.

    It sees the original training images that lie beside the data, 5,085 of them.
    """
    model = _published("adv-train", "relu")
    with np.load(Path(FOLDER or "") / "cifar10" / "cifar10-lossless-train-prefix.npz") as archive:
        pixels, labels = torch.from_numpy(archive["x"]), torch.from_numpy(archive["y"]).long()
        train = TensorSplit(pixels, labels, tuple(map(str, range(10))))
    recipe = Recipe(epochs=2, batch=32, optimizer=SGD(lr=0.1), schedule=CosineSchedule())

    def learn() -> None:
        for _ in fit(model, train, CrossEntropy(), recipe, seed=0):
            pass

    return _kept(model, "resnet44-plain", learn)


def _published(name: str, activation: str) -> nn.Module:
    weights = Path(FOLDER or "") / "checkpoints" / f"resnet44-{name}.pt"
    return models.load("preact-resnet44", weights=weights, options={"activation": activation})


def _kept(model: nn.Module, name: str, learn: Callable[[], None]) -> nn.Module:
    """The model with the weights that it learned the first time."""
    file = TRAINED / f"{name}.safetensors"
    if not file.exists():
        learn()
        TRAINED.mkdir(exist_ok=True)
        save_file(model.state_dict(), file)
    model.load_state_dict(load_file(file))
    return model.eval()


def _harden(model: nn.Module, train: TensorSplit, *, epochs: int, eps: float) -> None:
    """Adversarial training written out: the budget rises over the first epochs, or nothing is learned."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    steps = len(train) // 100
    for epoch in range(epochs):
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(derive(0, epoch)))
        for step, batch in enumerate(train.batches(order.split(100)[:steps])):
            progress = (epoch + step / steps) / epochs
            attack = PGD(eps=eps * min(1.0, 2 * progress + 0.05), steps=5, step=0.3)
            found = attack.on(model, batch, seed=derive(0, epoch, step))
            model.train()
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(found.x), batch.y).backward()
            for group in optimizer.param_groups:
                group["lr"] = 1e-3 * (1 - progress)
            optimizer.step()
