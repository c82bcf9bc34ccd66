"""Networks by name, freshly initialised."""

from collections.abc import Mapping

import torch
from torch import nn

from pellucid.errors import ConfigError
from pellucid.models.options import call
from pellucid.models.sources import Factory, factory_of


def build(name: str, *, seed: int = 0, **options: object) -> nn.Module:
    """The network that `pellucid list` or an import path `package.module:function` calls `name`, untrained.

    Every listed network takes `shape`, `classes`, `activation`, `mean` and `std`; its own options are in its
    signature, and a name that is not there is an error. The same seed gives the same weights, and the caller's
    random numbers are left alone.
    """
    return construct(factory_of(name), options, name, seed)


def construct(factory: Factory, options: Mapping[str, object], owner: str, seed: int) -> nn.Module:
    """What `factory` makes of `options`, on the CPU; `owner` is its name in messages."""
    # only the CPU's generator is forked and seeded: seeding all would move the caller's numbers on other devices
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.default_generator.manual_seed(seed)
        network = call(factory, options, owner)
    if not isinstance(network, nn.Module):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigError(f"'{owner}' made a {type(network).__name__}, not a torch.nn.Module")
    return network
