"""Text from elsewhere, made fit to be shown: a name commands no terminal, turns no line around and is no formula.

Class names, file names, paths and messages of networks may hold anything. Whatever shows some to a person, in a
terminal, on a page, in a picture or in a table for spreadsheets, shows it as `printable` gives it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

T = TypeVar("T")

_UNKNOWN = "\N{REPLACEMENT CHARACTER}"
_SPACES = (*range(0x09, 0x0E), 0x85, 0x2028, 0x2029)
_COMMANDS = (
    *range(0x20),  # with escape sequences, which begin here or in the next range
    *range(0x7F, 0xA0),
    *range(0x202A, 0x202F),  # what turns the direction of text
    *range(0x2066, 0x206A),
    *range(0xD800, 0xE000),  # bytes of a file's name that are no text
    *(0xFFFE, 0xFFFF),
)
_FORMULAS = tuple(
    "=+-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
_SHOWN = dict.fromkeys(_COMMANDS, _UNKNOWN) | dict.fromkeys(_SPACES, " ")
_LINES = {code: shown for code, shown in _SHOWN.items() if code not in (0x09, 0x0A)}


def printable(text: str) -> str:
    """The text in one line of plain signs; a sign that would do something stands as \N{REPLACEMENT CHARACTER}.

    >>> printable("cat\\x1b[2J\\ndog")
    'cat\N{REPLACEMENT CHARACTER}[2J dog'
    """
    return text.translate(_SHOWN)


def printable_lines(text: str) -> str:
    """The same of a text that may have lines and tabs of its own."""
    return text.translate(_LINES)


def all_printable(content: T) -> T:
    """Tables and lists with every text in them printable, names included."""
    return cast("T", _all(content))


def cell(value: object) -> object:
    """What stands in a table for spreadsheets, which take some words for formulas; numbers are left as they are."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    try:
        float(text)
    except ValueError:
        return f"'{text}" if text.lstrip().startswith(_FORMULAS) else text
    return text


def _all(content: Any) -> Any:
    if isinstance(content, str):
        return printable(content)
    if isinstance(content, Mapping):
        return {_all(name): _all(entry) for name, entry in cast("Mapping[Any, Any]", content).items()}
    if isinstance(content, list | tuple):
        return [_all(entry) for entry in cast("Sequence[Any]", content)]
    return content
