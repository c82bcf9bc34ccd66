"""Networks by name, freshly initialized."""

import inspect
from collections.abc import Mapping
from typing import cast

import torch
from torch import nn

from pellucid import limits
from pellucid.contained import made, reason
from pellucid.errors import ConfigError, PellucidError
from pellucid.kinds import check_weights
from pellucid.models.activations import Activation
from pellucid.models.black_box import BlackBox
from pellucid.models.factories import Factory, call, check_factory, takes, takes_anything
from pellucid.models.sources import factory_of
from pellucid.models.swapping import exchange_activations
from pellucid.randomness import seeded


def build(name: str, *, seed: int = 0, **options: object) -> nn.Module:
    """The network that `pellucid list` or an import path `package.module:function` calls `name`, untrained.

    Every listed network takes `shape`, `classes`, `activation`, `mean` and `std`; its own options are in its
    signature, and a name that is not there is an error. Only `activation` is understood for all: a network whose
    maker does not take it has its `torch.nn.ReLU` modules exchanged once it is made. The same seed gives the same
    weights, and the caller's random numbers are left alone.
    """
    return construct(factory_of(name), options, name, seed)


def _check_size(factory: Factory, options: Mapping[str, object], owner: str) -> None:
    """Refuse a network of ours of more than a stated size, before its weights take memory."""
    if str(getattr(factory, "__module__", "")).startswith("pellucid."):
        with torch.device("meta"):  # where numbers take none
            tensors = call(factory, options, owner).state_dict().values()
        needed = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        limits.check(needed, limits.NETWORK, f"'{owner}' with these options", "make it smaller")


def options_of(name: str) -> set[str] | None:
    """The options that `build` understands for this network; none where it takes any."""
    parameters = inspect.signature(factory_of(name)).parameters
    return None if takes_anything(parameters.values()) else {*parameters, "activation"}


def construct(factory: Factory, options: Mapping[str, object], owner: str, seed: int) -> nn.Module:
    """What `factory` makes of `options`, on the CPU; `owner` is its name in messages."""
    check_factory(factory, owner)
    own = dict(options)
    activation = own.pop("activation") if "activation" in own and not takes(factory, "activation") else None
    # only the CPU's generator is seeded: seeding all would move the caller's numbers on other devices
    try:
        with seeded(seed):
            _check_size(factory, own, owner)
        with seeded(seed), torch.device("cpu"), made(f"'{owner}'"):
            network = call(factory, own, owner)
    except (PellucidError, MemoryError):
        raise
    except Exception as error:  # whatever the code of others raises
        raise ConfigError(f"'{owner}' could not be made: {reason(error)}") from error
    if not isinstance(network, nn.Module | type) and callable(network):  # pyright: ignore[reportUnnecessaryIsInstance]
        network = BlackBox(network)  # a function that answers
    if not isinstance(network, nn.Module):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigError(f"'{owner}' made a {type(network).__name__}, neither a torch.nn.Module nor a function")
    check_weights(network)
    if activation is not None:
        exchange_activations(network, cast("Activation", activation), owner)
    return network
