"""Counting what a measurement costs, wherever its passes are made."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakIdKeyDictionary

from pellucid.hooks import hooked


@dataclass
class Passes:
    """How many images went through the network so far, forwards and backwards.

    `differentiated` is how often the gradient of one is itself differentiated, which takes several times as long.
    `aside` are seconds besides in which the network has no part.
    """

    forwards: int = 0
    backwards: int = 0
    differentiated: int = 0
    aside: float = 0.0

    def __bool__(self) -> bool:
        return any((self.forwards, self.backwards, self.differentiated, self.aside))

    def __add__(self, other: "Passes") -> "Passes":
        return Passes(
            self.forwards + other.forwards,
            self.backwards + other.backwards,
            self.differentiated + other.differentiated,
            self.aside + other.aside,
        )

    def __mul__(self, images: int) -> "Passes":
        return Passes(
            self.forwards * images, self.backwards * images, self.differentiated * images, self.aside * images
        )


class _Arrivals:
    """What comes back through the output and to the images of passes over the same images.

    A gradient that leaves a graph is differentiated once, as a rule. Where it is more often, what comes to the images
    has not come by the output.
    """

    def __init__(self, passes: Passes, rows: int) -> None:
        self._passes, self._rows = passes, rows
        self._back = self._graphs = 0

    def at_output(self, _gradient: Tensor | None) -> None:
        self._passes.backwards += self._rows
        self._back += 1
        if torch.is_grad_enabled():  # which a pass backwards is only when it leaves a graph
            self._passes.differentiated += self._rows
            self._graphs += 1

    def at_input(self, _gradient: Tensor | None) -> None:
        """Hear of one; there is none where nothing depends on the images."""
        if self._back:
            self._back = 0
        elif self._graphs:
            self._graphs -= 1
        else:
            self._passes.differentiated += self._rows


@contextmanager
def counted(model: nn.Module, watch: Callable[[Passes], None] = lambda _: None) -> Generator[Passes]:
    """Count the rows of all passes through a network in this block; `watch` hears of each pass forwards."""
    passes = Passes()
    arrivals: Any = WeakIdKeyDictionary()

    def forward(_module: nn.Module, inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            passes.forwards += len(output)
            if output.requires_grad:
                x = inputs[0] if inputs and isinstance(inputs[0], Tensor) and inputs[0].requires_grad else output
                if x not in arrivals:
                    arrivals[x] = _Arrivals(passes, len(output))
                    if x is not output:
                        x.register_hook(arrivals[x].at_input)
                output.register_hook(arrivals[x].at_output)
            watch(passes)

    with hooked([model], forward):
        yield passes
