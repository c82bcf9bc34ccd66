"""Exchanging the activations of a network that is built already."""

from collections.abc import Generator
from contextlib import contextmanager

from torch import nn

from pellucid.models.activations import Activation, activation_factory

Place = tuple[nn.Module, str, nn.Module]


def replace_activations(model: nn.Module, activation: Activation, *, of: type[nn.Module] = nn.ReLU) -> int:
    """Put the activation in the place of every module of the class `of`; how many modules it was.

    Weights, modes and all other modules stay. An activation that a network calls as a function
    (`torch.nn.functional.relu`, `x.relu()`) is no module: it cannot be seen, and is left alone.
    """
    return len({id(old) for _, _, old in _exchange(model, activation, of)})


@contextmanager
def swapped(model: nn.Module, activation: Activation, *, of: type[nn.Module] = nn.ReLU) -> Generator[nn.Module]:
    """The model with other activations, as `replace_activations` puts them; afterwards it has its own again."""
    places = _exchange(model, activation, of)
    try:
        yield model
    finally:
        for parent, name, old in places:
            setattr(parent, name, old)


def _exchange(model: nn.Module, activation: Activation, of: type[nn.Module]) -> list[Place]:
    make = activation_factory(activation)
    places = [
        (model.get_submodule(path.rpartition(".")[0]), path.rpartition(".")[2], module)
        for path, module in model.named_modules(remove_duplicate=False)
        if path and isinstance(module, of)
    ]
    # a module that stands in two places stays one module
    new = {id(old): make().train(old.training) for _, _, old in places}
    for parent, name, old in places:
        setattr(parent, name, new[id(old)])
    return places
