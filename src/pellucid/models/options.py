"""Calling a function with options that a person wrote, and saying which of them it does not know."""

import inspect
from collections.abc import Callable, Mapping
from typing import TypeVar

from pellucid.errors import ConfigError, suggestion

T = TypeVar("T")


def call(function: Callable[..., T], options: Mapping[str, object], owner: str) -> T:
    """What `function` makes of `options`; `owner` is its name in messages."""
    parameters = inspect.signature(function).parameters.values()
    named = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    if not any(p.kind is p.VAR_KEYWORD for p in parameters):
        for name in options:
            if name not in named:
                raise ConfigError(f"'{owner}' has no option '{name}'{suggestion(name, named)}")
    for p in parameters:
        if p.name in named and p.default is p.empty and p.name not in options:
            raise ConfigError(f"'{owner}' needs the option '{p.name}'; it has no default")
    return function(**options)
