"""What each recipe costs: its training step against a step of cross-entropy on the same network.

Floor by counting the passes that a recipe makes, each at the least that it can cost, in units of one forward pass of
the whole batch. A forward pass is 1, and so is a backward pass down to the pixels; one that goes through a gradient
has twice as far to go, 2. The last backward pass takes gradients for layers and for weights, so it costs twice
whatever is in its graph: forward passes, and gradients that a term differentiates. Searches are in no graph. A plain
step is 1 + 2 = 3.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.timing import alternate, ratio, record
from pellucid import models
from pellucid.data import TensorSplit
from pellucid.objectives import CrossEntropy, Objective, Term
from pellucid.train import RECIPES, SGD, Preset, Recipe, fit_steps

BATCH, SHAPE = 128, (1, 28, 28)


@dataclass
class Passes:
    """What has been done to a network, in forward passes of the whole batch."""

    done: float = 0.0
    graph: float = 0.0
    gradients: list[Tensor] = field(default_factory=list[Tensor])

    @property
    def floor(self) -> float:
        """The step as a multiple of a plain one."""
        return (self.done + 2 * self.graph) / 3


def run(rounds: int) -> None:
    """Time every recipe that is known, and keep the figures."""
    found = {name: measured(preset, rounds) for name, preset in RECIPES.items()}
    for name, figures in found.items():
        print(f"{name}: {figures['printed']}; floor {figures['floor']:.2f}x")
    record("objectives", {"batch": BATCH, "rounds": rounds, "recipes": found})


def measured(preset: Preset, rounds: int) -> dict[str, Any]:
    """A recipe's floor, and how many plain steps it takes."""
    step = steps(preset.objective, preset, 0)
    step()  # the first looks at the network besides
    with counted() as passes:
        step()
    works = {"plain": steps(CrossEntropy(), preset, rounds), "recipe": steps(preset.objective, preset, rounds)}
    seconds = alternate(works, rounds)
    compared = ratio(seconds["recipe"], seconds["plain"])
    return {"floor": passes.floor, "printed": str(compared), "ratio": asdict(compared), "seconds": seconds}


def steps(objective: Objective | Term, preset: Preset, rounds: int) -> Callable[[], object]:
    """Steps of the library's loop on a recipe's network; maps are noise, and so are images."""
    count = BATCH * (rounds + 2)
    labels = torch.randint(0, 10, (count,))
    split = TensorSplit(torch.randint(0, 256, (count, *SHAPE), dtype=torch.uint8), labels, tuple("0123456789"))
    for column in preset.references:
        split = split.with_column(column, torch.randn(count, *SHAPE))
    model = models.build("simple-cnn", shape=SHAPE, **preset.options)
    stepping = fit_steps(model, split, objective, Recipe(batch=BATCH, optimizer=SGD(lr=1e-4)))
    return lambda: next(stepping)


@contextmanager
def counted() -> Generator[Passes]:
    """The passes that are made in the block."""
    passes = Passes()
    gradient = torch.autograd.grad

    def forward(module: nn.Module, inputs: tuple[Any, ...], _output: object) -> None:
        if isinstance(module, nn.Sequential) and isinstance(inputs[0], Tensor) and inputs[0].dim() == 4:
            share = len(inputs[0]) / BATCH
            passes.done += share
            if torch.is_grad_enabled() and any(parameter.requires_grad for parameter in module.parameters()):
                passes.graph += share

    def counting(outputs: Tensor | Sequence[Tensor], inputs: Any, *arguments: Any, **options: Any) -> Any:
        found = gradient(outputs, inputs, *arguments, **options)
        if not isinstance(inputs, Tensor) or inputs.dim() != 4:  # of logits, which cost nothing
            return found
        first = outputs if isinstance(outputs, Tensor) else outputs[0]
        share = len(found[0]) / BATCH
        if options.get("is_grads_batched", False):
            share = found[0].shape[0] * found[0].shape[1] / BATCH
        units = share * (2 if any(first is one for one in passes.gradients) else 1)
        passes.done += units
        if options.get("create_graph", False):
            passes.graph += units
            passes.gradients.append(found[0])
        return found

    handle = nn.modules.module.register_module_forward_hook(forward)
    torch.autograd.grad = counting
    try:
        yield passes
    finally:
        torch.autograd.grad = gradient
        handle.remove()
