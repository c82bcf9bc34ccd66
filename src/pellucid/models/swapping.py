"""Exchanging the activations of a network that is built already."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from pellucid.holds import MODULES, holding
from pellucid.looking import look
from pellucid.models.activations import Activation, activation_factory
from pellucid.probe import frozen

Place = tuple[nn.Module, str, nn.Module]


def replace_activations(model: nn.Module, activation: Activation, *, of: type[nn.Module] = nn.ReLU) -> int:
    """Put the activation in the place of every module of the class `of`; how many modules it was.

    Weights, modes and all other modules stay. An activation that a network calls as a function
    (`torch.nn.functional.relu`, `x.relu()`) is no module and is left alone, and so are other classes, `ReLU6` among
    them: `rectifiers_left` tells of both.
    """
    return len({id(old) for _, _, old in _exchange(model, activation, of)})


@contextmanager
def swapped(model: nn.Module, activation: Activation, *, of: type[nn.Module] = nn.ReLU) -> Generator[nn.Module]:
    """The model with other activations, as `replace_activations` puts them; afterwards it has its own again."""
    mine = object()  # other threads may have neither these modules nor others
    with holding((module, MODULES, mine) for module in model.modules()):
        places = _exchange(model, activation, of)
        try:
            yield model
        finally:
            for parent, name, old in places:
                setattr(parent, name, old)


def rectifiers_left(model: nn.Module, x: Float[Tensor, "b *shape"]) -> tuple[str, ...]:
    """The ReLUs that a network still uses, by function: after an exchange, those that it has left out.

    Each of `relu`, `relu6`, `hardtanh` from 0 and `threshold` counts once, called by a module or by hand; the network
    looks at the first image.
    """
    with frozen(model), torch.no_grad(), _Watching() as watching:
        look(model, x[:1])
    return tuple(watching.found)


class _Watching(TorchFunctionMode):
    """Notes the names of rectifiers that are called."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, None] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "").partition(".")[0].strip("_")
        low = args[1] if len(args) > 1 else kwargs.get("min_val", kwargs.get("threshold"))
        if name in ("relu", "relu6") or (name in ("hardtanh", "threshold") and low == 0):
            self.found[name] = None
        return func(*args, **kwargs)


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
