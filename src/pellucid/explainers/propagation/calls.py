"""What a network asks of PyTorch: one call of one function, under one name however it was written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.graph import GradientEdge

Values = Float[Tensor, "..."]
Edge: TypeAlias = GradientEdge
"""Where a tensor stands in autograd's graph. It names the tensor also after another was written over it."""
Signals: TypeAlias = Mapping[Edge, Tensor]
Back: TypeAlias = Callable[[Signals], Signals]
"""From signals that arrive at a call's outputs, to those at what it hangs on."""


@dataclass(frozen=True, eq=False)
class Call:
    """One call; `inputs` are the tensors that hang on the images, as they were before it, and `outputs` what it gave.

    Nothing but this call leads from an input's door to its outputs, as several ways may from the input itself.
    `origin` is the tensor that all inputs are functions of, element by element, where there is one. `low` and `high`
    are there as long as nothing but constants has met the pixels: what black and white have become in the input.
    `signs` holds, by their `id`, arguments that say where the one input is positive, or else where it is negative.
    """

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    inputs: Mapping[Edge, Values]
    outputs: Mapping[Edge, Values]
    doors: Mapping[Edge, Edge]
    origin: Edge | None
    low: Values | None = None
    high: Values | None = None
    signs: Mapping[int, bool] = field(default_factory=dict[int, bool])

    @property
    def output(self) -> Values:
        """The output of a function that gives one tensor."""
        (output,) = self.outputs.values()
        return output

    @property
    def shape(self) -> torch.Size:
        """The shape of the inputs; of the first, where there are several."""
        return next(iter(self.inputs.values())).shape

    def argument(self, position: int, name: str, otherwise: Any = None) -> Any:
        """An argument, given by its position or by its name."""
        return self.args[position] if position < len(self.args) else self.kwargs.get(name, otherwise)

    def __contains__(self, value: object) -> bool:
        """Whether it is one of the tensors that hang on the images."""
        return any(value is tensor for tensor in self.inputs.values())

    @property
    def numbers_only(self) -> bool:
        """Whether a single tensor hangs on the images, and everything else in the call is a number."""
        own = {id(tensor) for tensor in self.inputs.values()}
        given = list(tensors((self.args, dict(self.kwargs))))
        return len(own) == 1 and len({id(tensor) for tensor in given}) == 1


def name_of(function: Callable[..., Any]) -> tuple[str, bool]:
    """The name that a function shares with its method and its operator, and whether it writes over its argument."""
    name = getattr(function, "__name__", str(function))
    if name == "__get__":  # of a property, such as `x.mT`
        name = getattr(getattr(function, "__self__", None), "__name__", name)
    if name == "__setitem__":
        return "setitem", True
    name = name.partition(".")[0]  # which of a function's overloads
    return name.strip("_"), name.endswith("_") and not name.startswith("_")


def tensors(nest: Any) -> Iterator[Tensor]:
    """The tensors in arguments, also those in lists."""
    if isinstance(nest, Tensor):
        yield nest
    elif isinstance(nest, Mapping):
        for value in nest.values():
            yield from tensors(value)
    elif isinstance(nest, Sequence) and not isinstance(nest, str):
        for value in nest:
            yield from tensors(value)


def exchanged(nest: Any, others: Mapping[int, Tensor]) -> Any:
    """Arguments in which some tensors, found by their `id`, are others."""
    if isinstance(nest, Tensor):
        return others.get(id(nest), nest)
    if isinstance(nest, Mapping):
        return {name: exchanged(value, others) for name, value in nest.items()}
    if isinstance(nest, list):
        return [exchanged(value, others) for value in nest]
    if type(nest) is tuple:
        return tuple(exchanged(value, others) for value in nest)
    return nest
