"""Tensors that say where another one is positive, of which activations are written by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from pellucid.explainers.propagation.calls import Edge, tensors

_ABOVE = frozenset({"gt", "ge", "greater", "greater_equal"})
_BELOW = frozenset({"lt", "le", "less", "less_equal"})
_CASTS = frozenset({"to", "type", "type_as", "float", "double", "half", "bfloat16", "clone", "detach"})
_OPPOSITES = frozenset({"logical_not", "bitwise_not", "invert"})


class Signs:
    """Remembers comparisons with zero, which have no gradient, and what they were cast to."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Tensor, Edge, bool]] = {}

    def see(self, name: str, args: Sequence[Any], given: Any, inputs: Mapping[Edge, Tensor]) -> None:
        """A call that gave something without a gradient."""
        if not isinstance(given, Tensor) or not args:
            return
        if name in _ABOVE | _BELOW and len(inputs) == 1 and len(args) == 2 and is_zero(args[1]):
            self._known[id(given)] = given, next(iter(inputs)), name in _ABOVE
        elif id(args[0]) in self._known and name in _CASTS | _OPPOSITES:
            _, edge, above = self._known[id(args[0])]
            self._known[id(given)] = given, edge, above == (name in _CASTS)

    def of(self, edge: Edge, nest: Any) -> dict[int, bool]:
        """Which tensors in arguments, by their `id`, say where this one is positive, or else where it is negative."""
        found = ((id(tensor), self._known.get(id(tensor))) for tensor in tensors(nest))
        return {number: known[2] for number, known in found if known is not None and known[1] == edge}


def is_zero(value: Any) -> bool:
    """Whether a number, or every element of a constant, is zero."""
    if isinstance(value, Tensor):
        return not value.requires_grad and not bool(value.any())
    return isinstance(value, int | float) and value == 0
