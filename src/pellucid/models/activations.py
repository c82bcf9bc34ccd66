"""Activations, as modules of their own so that hooks and swaps see each one."""

import math
from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.errors import ConfigError
from pellucid.models.options import call
from pellucid.registry import Registry

Activation = str | Mapping[str, object] | Callable[[], nn.Module]
"""A name, `"softplus"`; a table of a name and its options, `{"name": "softplus", "beta": 20}`; or what makes one."""


class HalfHuber(nn.Module):
    """A ReLU whose corner is a parabola of width `delta`, so that its slope has no jump (Woods et al., 2019)."""

    def __init__(self, delta: float = 0.5) -> None:
        super().__init__()
        if not 0 < delta < math.inf:
            raise ConfigError(f"half-huber has delta={delta:g}; it is the width of a parabola and must be positive")
        self.delta = delta

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """0 up to 0, x² / (2 delta) up to delta, then x - delta / 2."""
        parabola = x.clamp(0, self.delta).square() / (2 * self.delta)
        return torch.where(x < self.delta, parabola, x - self.delta / 2)

    def extra_repr(self) -> str:
        """The width."""
        return f"delta={self.delta:g}"


ACTIVATIONS: Registry[Callable[..., nn.Module]] = Registry(
    "activation",
    {
        "relu": nn.ReLU,
        "softplus": nn.Softplus,
        "half-huber": HalfHuber,
        "gelu": nn.GELU,
        "silu": nn.SiLU,
        "elu": nn.ELU,
        "tanh": nn.Tanh,
    },
)


def activation_factory(activation: Activation) -> Callable[[], nn.Module]:
    """A function that makes a new module of this activation at each call."""
    if isinstance(activation, nn.Module):
        raise ConfigError(f"the activation {activation} is one module; give what makes one, such as its class")
    if callable(activation):
        return activation
    table = {"name": activation} if isinstance(activation, str) else dict(activation)
    name = table.pop("name", None)
    if not isinstance(name, str):
        raise ConfigError(f"the activation {activation!r} has no name; write {{'name': 'softplus', 'beta': 20}}")
    if table.get("inplace"):
        raise ConfigError(f"the activation '{name}' is in-place; gradients need the values that it would overwrite")
    return lambda: call(ACTIVATIONS[name], table, name)
