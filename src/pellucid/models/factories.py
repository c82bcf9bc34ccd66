"""What may be called to make a network: looked at before it is called."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import FunctionType, MethodType
from typing import Any, TypeVar, get_origin, get_type_hints

from torch import nn

from pellucid.errors import ConfigError, suggestion

Factory = Callable[..., nn.Module]

_WANTED = "name a function or class that makes a network"
_DEEP = 100  # wrappers around a function that are looked through


def check_factory(factory: object, owner: str) -> None:
    """Refuse what makes no network: it has to be a class of modules, or a function that is written in Python.

    A function that says what it returns has to return a module. `owner` is its name in messages.
    """
    if isinstance(factory, nn.Module) or not callable(factory):
        raise ConfigError(f"'{owner}' is a {type(factory).__name__}; {_WANTED}")
    inner = innermost(factory)
    if isinstance(inner, type):
        if not issubclass(inner, nn.Module):
            raise ConfigError(f"'{owner}' is the class {inner.__name__}, which is no torch.nn.Module; {_WANTED}")
    elif not isinstance(inner, FunctionType):
        raise ConfigError(f"'{owner}' is a {type(inner).__name__} and not written in Python; {_WANTED}")
    elif (made := _promised(inner)) is not None:
        raise ConfigError(f"'{owner}' returns {made}, and not a torch.nn.Module; {_WANTED}")


def innermost(factory: Any) -> Any:
    """The function or class that is called in the end, inside wrappers, partials and objects that can be called."""
    for _ in range(_DEEP):
        if isinstance(factory, type | FunctionType) and not hasattr(factory, "__wrapped__"):
            break
        if isinstance(factory, partial):
            factory = factory.func  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        elif isinstance(factory, MethodType):
            factory = factory.__func__
        elif not isinstance(factory, type) and hasattr(factory, "__wrapped__"):
            factory = getattr(factory, "__wrapped__")  # noqa: B009, functions have none for pyright
        elif isinstance(call := inspect.getattr_static(type(factory), "__call__", None), FunctionType):
            factory = call
        else:
            break
    return factory


def _promised(function: FunctionType) -> str | None:
    """What a function says that it returns, where that is no module for certain."""
    try:
        made: Any = get_type_hints(function).get("return")
        kind: Any = get_origin(made) or made
        if kind is Any or not isinstance(kind, type) or issubclass(kind, nn.Module) or issubclass(nn.Module, kind):
            return None
    except Exception:  # annotations are anything that Python can say, also what it cannot work out here
        return None
    return "nothing" if kind is type(None) else kind.__name__


T = TypeVar("T")
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def takes(function: Callable[..., object], name: str) -> bool:
    """Whether `function` can be given an option of this name."""
    parameters = inspect.signature(function).parameters
    return takes_anything(parameters.values()) or (name in parameters and parameters[name].kind in _NAMED)


def takes_anything(parameters: Iterable[inspect.Parameter]) -> bool:
    """Whether there is a `**kwargs` among the parameters of a function."""
    return any(p.kind is p.VAR_KEYWORD for p in parameters)


def call(function: Callable[..., T], options: Mapping[str, object], owner: str) -> T:
    """What `function` makes of `options`; `owner` is its name in messages."""
    parameters = inspect.signature(function).parameters.values()
    named = {p.name for p in parameters if p.kind in _NAMED}
    if not takes_anything(parameters):
        for name in options:
            if name not in named:
                raise ConfigError(f"'{owner}' has no option '{name}'{suggestion(name, named)}")
    for p in parameters:
        if p.name in named and p.default is p.empty and p.name not in options:
            raise ConfigError(f"'{owner}' needs the option '{p.name}'; it has no default")
    return function(**options)
