"""How one layer shares the relevance of its outputs among its inputs.

Every rule is a choice of contributions: those of the inputs to an output sum to what its relevance is divided by.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.explainers.propagation.calls import Values
from pellucid.explainers.propagation.transposing import transposed


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


LayerRule: TypeAlias = Callable[[Layer, Tensor], Tensor]
"""From a layer and the relevance of its outputs to that of its inputs."""


def stabilized(z: Tensor, epsilon: float) -> Tensor:
    """Values moved away from zero."""
    return z + torch.where(z >= 0, epsilon, -epsilon).to(z.dtype)


@dataclass(frozen=True)
class Epsilon:
    """Relevance in proportion to what inputs contribute, x w; `epsilon` and the bias keep their share."""

    epsilon: float

    def __call__(self, layer: Layer, relevance: Tensor) -> Tensor:
        """The rule of Bach et al. (2015)."""
        z = layer(layer.x, layer.weight, layer.bias)
        return layer.x * _sent(z, layer.x, relevance / stabilized(z, self.epsilon))


@dataclass(frozen=True)
class AlphaBeta:
    """Positive contributions get `alpha` of the relevance and negative ones lose `beta`; alpha - beta is 1."""

    alpha: float
    beta: float
    epsilon: float

    def __post_init__(self) -> None:
        if self.beta < 0 or abs(self.alpha - self.beta - 1) > 1e-9:
            raise ConfigError(
                f"AlphaBeta has alpha={self.alpha:g} and beta={self.beta:g}; beta is 0 or more and alpha is 1 more"
            )

    def __call__(self, layer: Layer, relevance: Tensor) -> Tensor:
        """The rule of Bach et al. (2015); with beta = 0, z-plus."""
        found = self.alpha * _Contributions(layer, +1).shared(relevance, self.epsilon)
        if self.beta:
            found = found - self.beta * _Contributions(layer, -1).shared(relevance, self.epsilon)
        return found


@dataclass(frozen=True)
class Gamma:
    """Relevance as by `Epsilon`, but contributions of the output's own sign count 1 + `gamma` times."""

    gamma: float
    epsilon: float

    def __call__(self, layer: Layer, relevance: Tensor) -> Tensor:
        """The rule of Montavon et al. (2019), for inputs and outputs of either sign."""
        z = layer(layer.x, layer.weight, layer.bias)
        rises, falls = _Contributions(layer, +1), _Contributions(layer, -1)
        up = z >= 0
        factor = relevance / stabilized(z + self.gamma * torch.where(up, rises.sum, falls.sum), self.epsilon)
        plain = layer.x * _sent(z, layer.x, factor)
        return plain + self.gamma * (rises.sent(factor * up) + falls.sent(factor * ~up))


@dataclass(frozen=True)
class Box:
    """Relevance of pixels between bounds l and h: contributions are x w - l w⁺ - h w⁻, and none is negative."""

    epsilon: float

    def __call__(self, layer: Layer, relevance: Tensor) -> Tensor:
        """The rule of Montavon et al. (2017), z-B; the bias takes no part."""
        if layer.low is None or layer.high is None:
            raise ConfigError("the rule Box needs a layer whose inputs are pixels, or pixels normalized by constants")
        x, low, high = layer.x, layer.low, layer.high
        raised, lowered = layer.weight.clamp(min=0), layer.weight.clamp(max=0)
        parts = layer(x, layer.weight), layer(low, raised), layer(high, lowered)
        factor = relevance / stabilized(parts[0] - parts[1] - parts[2], self.epsilon)
        sent = [_sent(z, at, factor) for z, at in zip(parts, (x, low, high), strict=True)]
        return x * sent[0] - low * sent[1] - high * sent[2]


@dataclass(frozen=True)
class Flat:
    """The same relevance to all inputs of an output, whatever they are."""

    def __call__(self, layer: Layer, relevance: Tensor) -> Tensor:
        """The rule of Lapuschkin et al. (2019)."""
        ones = torch.ones_like(layer.x).requires_grad_()
        z = layer(ones, torch.ones_like(layer.weight))
        return _sent(z, ones, relevance / z)


class _Contributions:
    """The positive contributions to a layer's outputs, or the negative ones; the bias contributes too."""

    def __init__(self, layer: Layer, sign: int) -> None:
        bias = None if layer.bias is None else _part(layer.bias, sign)
        with torch.enable_grad():
            self._x = [layer.x.clamp(min=0)]
            self.sum = layer(self._x[0], _part(layer.weight, sign), bias)
            if bool((layer.x < 0).any()):
                self._x.append(layer.x.clamp(max=0))
                self.sum = self.sum + layer(self._x[1], _part(layer.weight, -sign))
        self._sign = sign

    def sent(self, factor: Tensor) -> Tensor:
        """What goes to each input if each output sends so many times the contributions that it got."""
        found = transposed([self.sum], self._x, [factor])
        return torch.stack([x * part for x, part in zip(self._x, found, strict=True) if part is not None]).sum(0)

    def shared(self, relevance: Tensor, epsilon: float) -> Tensor:
        """Relevance in proportion to the contributions."""
        return self.sent(relevance / (self.sum + self._sign * epsilon))


def _part(values: Tensor, sign: int) -> Tensor:
    return values.clamp(min=0) if sign > 0 else values.clamp(max=0)


def _sent(z: Tensor, x: Tensor, factor: Tensor) -> Tensor:
    (found,) = transposed([z], [x], [factor])
    assert found is not None, "outputs of a layer hang on its inputs"
    return found
