"""What plain values from a file must look like before anybody reads them.

A shape is a type (`str`, `bool`, `int`, `float`), `None`, or made of shapes:

- `{"name": shape, "more?": shape}`: a table with a name, perhaps with more, and whatever else;
- `Each(shape)`: a table of any names;
- `[shape]`: a list;
- `Row(shape, shape)`: a list of as many;
- `(shape, shape)`: any one of these;
- `{"word", "word"}`: one of these words;
- `ENDLESS`: a number that may be infinite; others are finite, and none is NaN;
- `PLAIN`: any of these, a few levels deep.

Whole numbers fit where a number is asked for.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

Shape = Any

LETTERS = 10_000
"""Letters that a text may have."""

_LARGEST = 2**63  # of whole numbers
_LONGEST = 1e300  # of others, so that a hundred times as much is a number too
_DEEPEST = 32
_SHOWN = 60
_WORDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number", None: "null"}


@dataclass(frozen=True)
class Each:
    """A table whose entries are all alike."""

    shape: Shape


class Row(tuple[Shape, ...]):
    """A list of so many entries."""

    def __new__(cls, *shapes: Shape) -> "Row":
        """With a shape for each."""
        return super().__new__(cls, shapes)


ENDLESS = object()
PLAIN = object()


def check(value: Any, shape: Shape, place: str = "") -> None:
    """Raise a ValueError that says where a value is not as it should be, and what it should be there."""
    way = next((way for kind, way in _WAYS if isinstance(shape, kind)), None)
    if way is not None:
        way(value, shape, place)
    elif shape is PLAIN:
        _check_plain(value, place, _DEEPEST)
    elif shape is str and isinstance(value, str):
        _check_text(value, place)
    elif not _fits(value, shape):
        raise ValueError(f"{place or 'it'} is {_shown(value)}, not {_described(shape)}")


def join(place: str, name: str) -> str:
    """The place of an entry inside a table, for messages; of a name that is long its beginning."""
    shown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}..."
    return f"{place}.{shown}" if place else shown


def _check_table(value: Any, shape: Mapping[str, Shape], place: str) -> None:
    table = _table(value, place)
    for name, inner in shape.items():
        key = name.removesuffix("?")
        if key in table:
            check(table[key], inner, join(place, key))
        elif key == name:
            raise ValueError(f"{join(place, key)} is missing")


def _check_each(value: Any, shape: Each, place: str) -> None:
    for name, entry in _table(value, place).items():
        _check_text(name, place)
        check(entry, shape.shape, join(place, name))


def _check_list(value: Any, shape: list[Shape], place: str) -> None:
    for number, entry in enumerate(_list(value, place)):
        check(entry, shape[0], f"{place}[{number}]")


def _check_row(value: Any, shape: Row, place: str) -> None:
    entries = _list(value, place)
    if len(entries) != len(shape):
        raise ValueError(f"{place} has {len(entries)} entries, not {len(shape)}")
    for number, (entry, inner) in enumerate(zip(entries, shape, strict=True)):
        check(entry, inner, f"{place}[{number}]")


def _check_word(value: Any, shape: set[str], place: str) -> None:
    if not isinstance(value, str) or value not in shape:
        raise ValueError(f"{place or 'it'} is {_shown(value)}, not {_described(shape)}")


def _check_any(value: Any, shapes: tuple[Shape, ...], place: str) -> None:
    faults: list[str] = []
    for shape in shapes:
        try:
            check(value, shape, place)
        except ValueError as error:
            faults.append(str(error))
        else:
            return
    # of something made of others, what is wrong inside tells more than that it is wrong
    inside = [fault for fault in faults if not fault.startswith(f"{place or 'it'} is ")]
    raise ValueError(
        (inside or [f"{place or 'it'} is {_shown(value)}, not {' or '.join(map(_described, shapes))}"])[0]
    )


def _fits(value: Any, shape: Shape) -> bool:
    if shape is None or shape is bool:
        return value is None if shape is None else isinstance(value, bool)
    if shape is int:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST
    if shape is float or shape is ENDLESS:
        if isinstance(value, float):
            return abs(value) <= _LONGEST or (shape is ENDLESS and math.isinf(value))
        return _fits(value, int)
    return False


def _check_plain(value: Any, place: str, levels: int) -> None:
    if not levels:
        raise ValueError(f"{place} lies more than {_DEEPEST} tables deep")
    if isinstance(value, Mapping):
        for name, entry in cast("Mapping[str, Any]", value).items():
            _check_text(name, place)
            _check_plain(entry, join(place, name), levels - 1)
    elif isinstance(value, list):
        for number, entry in enumerate(cast("list[Any]", value)):
            _check_plain(entry, f"{place}[{number}]", levels - 1)
    elif isinstance(value, str):
        _check_text(value, place)
    elif not isinstance(value, float) and value is not None and not isinstance(value, bool):
        check(value, int, place)


def _check_text(value: str, place: str) -> None:
    if len(value) > LETTERS:
        raise ValueError(f"{place or 'it'} is text of {len(value)} letters, more than {LETTERS}")
    try:
        value.encode(errors="surrogateescape")  # as Python writes the names of files that are not in UTF-8
    except UnicodeEncodeError:
        raise ValueError(f"{place or 'it'} is no text: it has half a character") from None


def _table(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{place or 'it'} is {_shown(value)}, not a table")
    return cast("Mapping[str, Any]", value)


def _list(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{place or 'it'} is {_shown(value)}, not a list")
    return cast("list[Any]", value)


def _described(shape: Shape) -> str:
    if isinstance(shape, Mapping | Each):
        return "a table"
    if isinstance(shape, list | Row):
        return "a list"
    if isinstance(shape, set):
        return " or ".join(sorted(map(repr, cast("set[str]", shape))))
    return "a number" if shape is ENDLESS else _WORDS[shape]


def _shown(value: Any) -> str:
    if isinstance(value, Mapping | list):
        return "a table" if isinstance(value, Mapping) else "a list"
    text = json.dumps(value) if not isinstance(value, int) or abs(value) <= _LARGEST else "an endless number"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


# the first that fits decides: a row is a tuple too
_WAYS: tuple[tuple[type, Callable[[Any, Any, str], None]], ...] = (
    (Mapping, _check_table),
    (Each, _check_each),
    (list, _check_list),
    (Row, _check_row),
    (set, _check_word),
    (tuple, _check_any),
)
