"""Calling a function with options that a person wrote, and saying which of them it does not know."""

import inspect
from collections.abc import Callable, Mapping
from typing import TypeVar

from pellucid.errors import ConfigError, suggestion

T = TypeVar("T")
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def takes(function: Callable[..., object], name: str) -> bool:
    """Whether `function` can be given an option of this name."""
    parameters = inspect.signature(function).parameters
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return anything or (name in parameters and parameters[name].kind in _NAMED)


def call(function: Callable[..., T], options: Mapping[str, object], owner: str) -> T:
    """What `function` makes of `options`; `owner` is its name in messages."""
    parameters = inspect.signature(function).parameters.values()
    named = {p.name for p in parameters if p.kind in _NAMED}
    if not any(p.kind is p.VAR_KEYWORD for p in parameters):
        for name in options:
            if name not in named:
                raise ConfigError(f"'{owner}' has no option '{name}'{suggestion(name, named)}")
    for p in parameters:
        if p.name in named and p.default is p.empty and p.name not in options:
            raise ConfigError(f"'{owner}' needs the option '{p.name}'; it has no default")
    return function(**options)
