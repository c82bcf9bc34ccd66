"""Exchanging the activations of a network that is built already."""

import dis
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from pellucid.errors import ConfigError
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


def exchange_activations(model: nn.Module, activation: Activation, owner: str) -> None:
    """Exchange the activations of a network that was made without being asked which; `owner` is its name in messages.

    One without any `torch.nn.ReLU` is refused. One that has other rectifiers besides, which stay, is warned of: they
    are looked for in the code of its modules, since no image is at hand.
    """
    if not replace_activations(model, activation):
        raise ConfigError(
            f"'{owner}' takes no option 'activation' and has no torch.nn.ReLU modules to exchange; "
            "give it the option, or make its activations modules"
        )
    left = dict.fromkeys(name for module in model.modules() for name in _rectifiers_of(module))
    if left:
        warnings.warn(
            f"'{owner}' also uses {' and '.join(left)}, which the option 'activation' does not exchange, so it is a "
            "mixture of activations; make each of them a torch.nn.ReLU module",
            stacklevel=2,
        )


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


_RECTIFIERS = ("relu", "relu_", "relu6")


def _rectifiers_of(module: nn.Module) -> Iterator[str]:
    """The rectifiers that a module is, holds as functions, or calls in code that is not PyTorch's."""
    if isinstance(module, nn.ReLU6):
        yield "ReLU6"
    yield from (name for held in vars(module).values() if (name := getattr(held, "__name__", "")) in _RECTIFIERS)
    seen: set[CodeType] = set()
    for kind in type(module).__mro__:
        if not kind.__module__.startswith("torch."):
            for name, method in vars(kind).items():
                if isinstance(method, FunctionType) and name != "__init__":
                    yield from _called(method.__code__, method.__globals__, seen)


def _called(code: CodeType, known: Mapping[str, Any], seen: set[CodeType]) -> Iterator[str]:
    """The rectifiers that a function names otherwise than as a part of its own module, which may be any module."""
    if code in seen:
        return
    seen.add(code)
    own = False
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_ATTR", "LOAD_METHOD", "LOAD_GLOBAL") and step.argval in _RECTIFIERS and not own:
            yield step.argval
        if step.opname.startswith("LOAD_FAST"):
            own = step.argval == next(iter(code.co_varnames), None)
        elif step.opname not in ("LOAD_ATTR", "LOAD_METHOD"):
            own = False
        helper = known.get(step.argval) if step.opname == "LOAD_GLOBAL" else None
        if isinstance(helper, FunctionType) and not helper.__module__.startswith("torch."):
            yield from _called(helper.__code__, helper.__globals__, seen)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _called(inner, known, seen)
