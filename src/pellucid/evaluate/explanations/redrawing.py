"""Layers whose parameters are drawn anew, as if they had never been trained."""

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid import hooks
from pellucid.hooks import hooked
from pellucid.looking import look
from pellucid.randomness import derive, seeded


@torch.no_grad()
def layers_from_the_output(model: nn.Module, x: Float[Tensor, "b *shape"]) -> tuple[str, ...]:
    """The names of the modules that own parameters or running statistics, the last to be called first.

    A module that is never called itself comes where the one that it is part of is called.
    """
    calls: dict[str, int] = {}

    modules = dict(model.named_modules())
    names = {module: name for name, module in modules.items()}

    def note(module: nn.Module, _inputs: object) -> None:
        calls.setdefault(names[module], len(calls))

    with hooked(names, note, before=True):
        look(model, x[:1])
    places = {name: (_called(name, calls), number) for number, name in enumerate(modules)}
    own = [name for name, module in modules.items() if _owns(module)]
    return tuple(sorted(own, key=lambda name: places[name], reverse=True))


@torch.no_grad()
def redraw(model: nn.Module, layer: str, seed: int) -> None:
    """Give a layer new parameters, the same ones for a seed on any device.

    It is initialized as its class does it, and its running statistics with it; what the class does not initialize is
    drawn from a normal distribution of the same mean and spread.
    """
    module = dict(model.named_modules())[layer]  # a compiled program knows no other way
    # only the CPU's generator is seeded: the same numbers for a network on any device
    with seeded(derive(seed, layer)), torch.device("cpu"):
        fresh = _initialized(module)
        for name, parameter in module.named_parameters(recurse=False):
            parameter.copy_(fresh[name] if name in fresh else _alike(parameter))
    for name, buffer in module.named_buffers(recurse=False):
        buffer.copy_(fresh.get(name, buffer))


def _initialized(module: nn.Module) -> Mapping[str, Tensor]:
    """Parameters and running statistics as the module's class initializes them, as far as it does."""
    # one with modules of its own might initialize those as well
    if not callable(getattr(module, "reset_parameters", None)) or list(module.children()):
        return {}
    fresh = hooks.copied(module).cpu()
    for parameter in fresh.parameters(recurse=False):
        parameter.fill_(math.nan)  # which stays where nothing is initialized: a weight that is made of others
    fresh.reset_parameters()  # pyright: ignore[reportCallIssue]
    found = [*fresh.named_parameters(recurse=False), *fresh.named_buffers(recurse=False)]
    return {name: tensor for name, tensor in found if not tensor.isnan().any()}


def _alike(parameter: Tensor) -> Tensor:
    drawn = torch.normal(0.0, 1.0, parameter.shape, generator=torch.default_generator)
    return parameter.mean() + parameter.std(correction=0) * drawn.to(parameter)


def _owns(module: nn.Module) -> bool:
    resettable = callable(getattr(module, "reset_parameters", None))
    return any(True for _ in module.parameters(recurse=False)) or (
        resettable and any(True for _ in module.buffers(recurse=False))
    )


def _called(name: str, calls: dict[str, int]) -> int:
    while name not in calls:
        name = name.rpartition(".")[0]
    return calls[name]
