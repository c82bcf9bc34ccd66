"""What a penalty on input gradients costs: a step with one against a plain step.

Floor by counting: a plain step is a forward pass and the two halves of a backward pass (to the inputs, to the
weights), 3 units. The gradient adds a half, and differentiating twice takes two halves through each of forward pass
and gradient in place of the plain backward pass: 6 units, 2.00x. "as published" is the formula of Interpretation
Regularization as its authors write it: an explicit one-hot product, and a backward pass to everything.
"""

from collections.abc import Callable
from dataclasses import asdict

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from benchmarks.timing import alternate, ratio, record
from pellucid import models
from pellucid.batch import Batch
from pellucid.objectives import CrossEntropy, GradientNorm, Objective
from pellucid.probe import Probe

CASES = {"simple-cnn": (50, (1, 28, 28)), "resnet18": (128, (3, 32, 32))}


def run(rounds: int, name: str) -> None:
    """Time one network and keep the figures."""
    batch, shape = CASES[name]
    x, y = torch.rand(batch, *shape), torch.randint(0, 10, (batch,))
    model = models.build(name, shape=shape).train()
    works = {
        "plain": stepped(model, lambda: cross_entropy(model(x), y)),
        "logit gradient": stepped(model, objective(model, x, y, CrossEntropy() + 0.1 * GradientNorm())),
        "loss gradient": stepped(model, objective(model, x, y, CrossEntropy() + 0.1 * GradientNorm(of="loss"))),
        "as published": stepped(model, lambda: published(model, x, y), to_everything=True),
    }
    seconds = alternate(works, rounds)
    ratios = {other: ratio(seconds[other], seconds["plain"]) for other in works if other != "plain"}
    for other, found in ratios.items():
        print(f"second order, {name} at batch {batch}: {other} / plain = {found}; floor 2.00x, target 2.30x")
    tables = {other: asdict(found) for other, found in ratios.items()}
    record(f"second-order-{name}", {"batch": batch, "rounds": rounds, "ratios": tables, "seconds": seconds})


def stepped(model: nn.Module, loss: Callable[[], Tensor], *, to_everything: bool = False) -> Callable[[], None]:
    """An optimizer step on a loss."""
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)
    parameters = None if to_everything else list(model.parameters())

    def step() -> None:
        optimizer.zero_grad()
        loss().backward(inputs=parameters)
        optimizer.step()

    return step


def objective(model: nn.Module, x: Tensor, y: Tensor, terms: Objective) -> Callable[[], Tensor]:
    """The library's loss."""
    return lambda: terms(Probe(model, Batch.trusted(x, y, {})))


def published(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy and the Frobenius norm of the batch's logit gradients."""
    images = x.clone().requires_grad_()
    logits = model(images)
    (gradient,) = torch.autograd.grad(logits, images, one_hot(y, 10).float(), create_graph=True)
    return cross_entropy(logits, y) + 0.1 * gradient.norm()
