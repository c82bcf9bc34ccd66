"""Counting what a measurement costs, wherever its passes are made."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.hooks import hooked


@dataclass
class Passes:
    """How many images went through the network so far, forwards and backwards.

    `differentiated` are those of the backwards whose gradient is itself differentiated: they take several times as
    long.
    """

    forwards: int = 0
    backwards: int = 0
    differentiated: int = 0

    def __bool__(self) -> bool:
        return (self.forwards, self.backwards, self.differentiated) != (0, 0, 0)

    def __add__(self, other: "Passes") -> "Passes":
        return Passes(
            self.forwards + other.forwards,
            self.backwards + other.backwards,
            self.differentiated + other.differentiated,
        )

    def __mul__(self, images: int) -> "Passes":
        return Passes(self.forwards * images, self.backwards * images, self.differentiated * images)


@contextmanager
def counted(model: nn.Module, watch: Callable[[Passes], None] = lambda _: None) -> Generator[Passes]:
    """Count the rows of all passes through a network in this block; `watch` hears of each pass forwards."""
    passes = Passes()

    def backward(gradient: Tensor) -> None:
        passes.backwards += len(gradient)
        if torch.is_grad_enabled():  # which a pass backwards is only when it leaves a graph
            passes.differentiated += len(gradient)

    def forward(_module: nn.Module, _inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            passes.forwards += len(output)
            if output.requires_grad:
                output.register_hook(backward)
            watch(passes)

    with hooked([model], forward):
        yield passes
