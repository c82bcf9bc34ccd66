"""Calling a function with options that a person wrote, and saying which of them it does not know."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from pellucid.errors import ConfigError, suggestion

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
