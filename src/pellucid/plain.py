"""Frozen dataclasses as plain values of JSON and back; what comes back is checked by the annotations of the fields.

A field may be text, true or false, a number, `Endless`, a word of a `Literal`, a dataclass, a tuple of any length or
of a certain one, a mapping from text, one of several of these, or `Any`, which is whatever JSON holds. A field that
has a default may be missing, and what no field asks for is passed over.
"""

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from pellucid import shape
from pellucid.shape import ENDLESS, PLAIN, Each, Row, Shape

T = TypeVar("T")

Endless = Annotated[float, ENDLESS]
"""A number that may be infinite; others are finite."""


def dump(value: Any) -> Any:
    """A value as plain tables, lists, text and numbers."""
    if is_dataclass(value):
        return {field.name: dump(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): dump(entry) for name, entry in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [dump(entry) for entry in cast("Sequence[Any]", value)]
    return value


def build(expected: type[T], value: Any, place: str = "") -> T:
    """The value of type `expected` that plain values describe; a ValueError says where they do not, and how."""
    return build_as(expected, value, place)


def build_as(expected: Any, value: Any, place: str = "") -> Any:
    """Like `build`, for what is no class, such as a mapping of some."""
    shape.check(value, _shape(expected), place)
    return _built(expected, value, place)


@cache
def _shape(expected: Any) -> Shape:
    origin, arguments = get_origin(expected), get_args(expected)
    if expected is Any:
        return PLAIN
    if origin is Annotated:
        return arguments[1]
    if origin in (Union, types.UnionType):
        return tuple(None if choice is type(None) else _shape(choice) for choice in arguments)
    if origin is Literal:
        return set(arguments)
    if origin is tuple:
        return [_shape(arguments[0])] if arguments[1:] == (...,) else Row(*map(_shape, arguments))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return Each(_shape(arguments[1]))
    if is_dataclass(expected):
        hints = _hints(expected)
        return {
            f"{field.name}{'' if _asked(field) else '?'}": _shape(hints[field.name]) for field in fields(expected)
        }
    return expected


def _built(expected: Any, value: Any, place: str) -> Any:
    origin, arguments = get_origin(expected), get_args(expected)
    if origin in (Union, types.UnionType):
        choices = [choice for choice in arguments if _fits(value, choice)]
        return _built(choices[0], value, place)
    if origin is tuple:
        inner = arguments[:1] * len(value) if arguments[1:] == (...,) else arguments
        pairs = enumerate(zip(inner, value, strict=True))
        return tuple(_built(kind, entry, f"{place}[{number}]") for number, (kind, entry) in pairs)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {name: _built(arguments[1], entry, shape.join(place, name)) for name, entry in value.items()}
    if not is_dataclass(expected) or not isinstance(expected, type):
        return value
    hints = _hints(expected)
    known = {
        field.name: _built(hints[field.name], value[field.name], shape.join(place, field.name))
        for field in fields(expected)
        if field.name in value
    }
    try:
        return expected(**known)
    except ValueError as error:  # fields that do not fit together, which its text begins with
        raise ValueError(shape.join(place, str(error))) from error


def _fits(value: Any, choice: Any) -> bool:
    if choice is type(None) or value is None:
        return value is None and choice in (type(None), Any)
    try:
        shape.check(value, _shape(choice))
    except ValueError:
        return False
    return True


@cache
def _hints(expected: type) -> Mapping[str, Any]:
    return get_type_hints(expected, include_extras=True)


def _asked(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING
