"""A convolution or a dense layer at its inputs, as rules see it."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.explainers.propagation.calls import Values


@dataclass(frozen=True, eq=False)
class Layer:
    """A function of `x`, linear in it and in the weight; `low` and `high` bound x where it comes of pixels alone."""

    function: Callable[..., Any]
    x: Values
    weight: Values
    bias: Float[Tensor, " out"] | None
    rest: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    low: Values | None = None
    high: Values | None = None

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """The same layer with other inputs, weights and bias, and a graph."""
        with torch.enable_grad():
            return self.function(x, weight, bias, *self.rest, **self.options)

    def scaled(self, scale: Float[Tensor, " out"], shift: Float[Tensor, " out"]) -> "Layer":
        """The layer with its outputs multiplied and moved, as BatchNorm does."""
        weight = self.weight * scale.reshape(-1, *[1] * (self.weight.dim() - 1))
        bias = shift if self.bias is None else self.bias * scale + shift
        return dataclasses.replace(self, weight=weight, bias=bias)
