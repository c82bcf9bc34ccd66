"""What the training loop costs: a step through `fit` against the loop that one would write by hand.

Floor: 1.00x, the same forward and backward pass on the same images.
"""

from collections.abc import Callable
from dataclasses import asdict

import torch
from torch.nn.functional import cross_entropy

from benchmarks.timing import alternate, ratio, record
from pellucid import models
from pellucid.data import TensorSplit
from pellucid.objectives import CrossEntropy
from pellucid.train import SGD, Recipe, fit_steps

CASES = {"simple-cnn": (50, (1, 28, 28)), "resnet18": (128, (3, 32, 32))}


def run(rounds: int, name: str) -> None:
    """Time one network and keep the figures."""
    batch, shape = CASES[name]
    images = torch.randint(0, 256, (batch * (rounds + 2), *shape), dtype=torch.uint8)
    labels = torch.randint(0, 10, (len(images),))
    works = {"bare loop": bare(name, images, labels, batch), "fit": ours(name, images, labels, batch)}
    seconds = alternate(works, rounds)
    found = ratio(seconds["fit"], seconds["bare loop"])
    print(f"training step, {name} at batch {batch}: fit / bare loop = {found}; floor 1.00x, target 1.05x")
    record(f"training-step-{name}", {"batch": batch, "rounds": rounds, "ratio": asdict(found), "seconds": seconds})


def bare(name: str, images: torch.Tensor, labels: torch.Tensor, batch: int) -> Callable[[], None]:
    """A step as one would write it by hand: float images in memory, a permutation, nothing else."""
    model = models.build(name, shape=tuple(images.shape[1:])).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, nesterov=True, weight_decay=5e-4)
    x = images.float() / 255
    rows = iter(torch.randperm(len(x)).split(batch))

    def step() -> None:
        chosen = next(rows)
        optimizer.zero_grad()
        cross_entropy(model(x[chosen]), labels[chosen]).backward()
        optimizer.step()

    return step


def ours(name: str, images: torch.Tensor, labels: torch.Tensor, batch: int) -> Callable[[], object]:
    """A step of the library's loop on the same images."""
    model = models.build(name, shape=tuple(images.shape[1:]))
    split = TensorSplit(images, labels, tuple(map(str, range(10))))
    steps = fit_steps(model, split, CrossEntropy(), Recipe(batch=batch, optimizer=SGD(lr=1e-3)))
    return lambda: next(steps)
