"""Activations, as modules of their own so that hooks and swaps see each one."""

from collections.abc import Callable, Mapping

from torch import nn

from pellucid.errors import ConfigError
from pellucid.models import ACTIVATIONS
from pellucid.models.factories import call

Activation = str | Mapping[str, object] | Callable[[], nn.Module]
"""A name, `"softplus"`; a table of a name and its options, `{"name": "softplus", "beta": 20}`; or what makes one."""


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
