"""Settings are the values themselves: frozen dataclasses, read from and written to TOML.

`dump` turns a value into plain tables, `build` turns tables into a value by the annotations of its fields. Where a
field may hold one of several classes, the table says which under the key `kind`; an abstract class names the registry
that its kinds are listed in (`registry: ClassVar[str] = "package:NAME"`).
"""

import copy
import dataclasses
import difflib
import importlib
import inspect
import json
import re
import tomllib
import types
from collections.abc import Mapping, Sequence
from datetime import date, time
from pathlib import Path
from typing import (
    Any,
    Literal,
    Protocol,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

import tomli_w

from pellucid import limits
from pellucid.errors import ConfigError, DataError, PellucidError, nearest_name, suggestion
from pellucid.registry import Registry
from pellucid.trust import written

T = TypeVar("T")
Table = dict[str, Any]


@runtime_checkable
class Configured(Protocol):
    """A class that reads and writes its own tables, where its fields would read badly in TOML."""

    def to_config(self) -> Table:
        """The value as a plain table."""
        ...

    @classmethod
    def from_config(cls, table: Table, path: str) -> Any:
        """The value that a table describes; `path` is where the table stands, for errors."""
        ...


def dump(value: Any) -> Any:
    """A value as plain tables, lists, strings and numbers."""
    if isinstance(value, Configured):
        return value.to_config()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        settings = {field.name: dump(getattr(value, field.name)) for field in dataclasses.fields(value) if field.init}
        registry = _registry(type(value))
        return settings if registry is None else {"kind": registry.name_of(type(value)), **settings}
    if isinstance(value, Mapping):
        return {str(name): dump(entry) for name, entry in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [dump(entry) for entry in cast("Sequence[Any]", value)]
    if isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"{value!r} cannot be written as a setting")


def build(expected: type[T], table: Any, path: str = "") -> T:
    """The value of type `expected` that plain tables describe; `path` is where they stand, for errors."""
    return build_as(expected, table, path)


def build_as(expected: Any, table: Any, path: str = "") -> Any:
    """Like `build`, for a union of types."""
    try:
        return _build(expected, table, path)
    except NoSetting as missing:
        known = _places_without(expected, table, path, missing)
        more = [place for place in missing.siblings if not any(one.startswith(f"{place}.") for one in known)]
        raise no_setting(missing.typed, [*known, *more]) from None


def part(expected: Any, table: Any, path: str) -> Any:
    """Like `build`, for `from_config`: what is no setting is told by whoever builds the whole, who knows them all."""
    return _build(expected, table, path)


class NoSetting(ConfigError):
    """A setting that does not exist, raised by `part`: `path` is unknown, got `value` and might be a sibling."""

    def __init__(self, path: str, value: Any, siblings: Sequence[str]) -> None:
        self.path, self.siblings = path, siblings
        # of a table that is unknown as a whole, a person typed something inside
        self.typed = next(iter(places(value, path)), path)
        super().__init__(f"there is no setting '{self.typed}'")


def places(value: Any, path: str = "") -> list[str]:
    """The names in plain tables under which there is something to set."""
    if isinstance(value, Mapping):
        inner = cast("Mapping[str, Any]", value)
        return [place for name, entry in inner.items() for place in places(entry, _join(path, name))]
    return [path]


def no_setting(typed: str, known: Sequence[str]) -> ConfigError:
    """What to say of a setting that does not exist, given all places where there is something to set."""
    meant = _meant(typed, known)
    owner = typed.rpartition(".")[0]
    while owner and not _beside(owner, known):
        owner = owner.rpartition(".")[0]
    there = ", ".join(sorted(_beside(owner, known).values()))
    words = f"did you mean '{meant}'?" if meant else f"there are: {there}" if there else "there are none"
    return ConfigError(f"there is no setting '{_short(typed)}' ({words})")


def kind_of(owner: type) -> str:
    """The name that a class is registered under."""
    registry = _registry(owner)
    assert registry is not None, f"{owner} names no registry"
    return registry.name_of(owner)


def kinds(owner: type) -> list[str]:
    """The names of all that is registered where a class says."""
    registry = _registry(owner)
    return [] if registry is None else list(registry)


def read(path: Path) -> Table:
    """A TOML file as tables, in which every text knows that it stands there."""
    try:
        return written(_plain(_tables(limits.read(path, most=limits.SETTINGS).decode()), ""), path)
    except DataError as error:
        raise ConfigError(str(error)) from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not TOML: {error}; mend it, or take another file") from error


def override(table: Table, assignment: str) -> Table:
    """The table with one `a.b=c` carried out; `c` is read as TOML, or taken as text where it is none."""
    name, equals, text = assignment.partition("=")
    keys = [key.strip() for key in name.split(".")]
    if not equals or not all(keys) or len(keys) > _DEEPEST:
        raise ConfigError(f"'{_short(assignment)}' sets nothing; write it as name.name=value")
    return assign(table, keys, _literal(text.strip()))


def assign(table: Table, keys: Sequence[str], value: Any) -> Table:
    """The table with the entry at a path of keys set."""
    for depth in range(len(keys) - 1, 0, -1):
        inner = _at(table, keys[:depth])
        if not isinstance(inner, dict):
            raise ConfigError(f"{'.'.join(keys[:depth])} is {_show(inner)}; it has no '{keys[depth]}' to set")
        value = {keys[depth]: value}
    return merge(table, {keys[0]: value})


def merge(base: Table, own: Table) -> Table:
    """The base with what `own` says instead; a table of another `kind` takes the place of the whole."""
    merged = dict(base)
    for name, value in own.items():
        inner = base.get(name)
        if isinstance(value, dict) and isinstance(inner, dict) and _same_kind(inner, cast("Table", value)):
            merged[name] = merge(cast("Table", inner), cast("Table", value))
        else:
            merged[name] = value
    return merged


def toml(table: Table) -> str:
    """Tables as TOML text; the inverse of reading it."""
    text = tomli_w.dumps(table)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line = text[: error.start].rpartition("\n")[2] + text[error.start :].partition("\n")[0]
        raise ConfigError(
            f"{line!r} has bytes that are no text, so no file of settings can hold it; rename that file or folder"
        ) from error
    return text


def _build(expected: Any, value: Any, path: str) -> Any:
    origin, arguments = get_origin(expected), get_args(expected)
    if expected is Any:
        return value
    if origin in (Union, types.UnionType):
        return _build_union(arguments, value, path)
    if origin is Literal:
        if value not in arguments:
            raise ConfigError(f"{path} is {_show(value)}{suggestion(str(value), map(str, arguments))}")
        return value
    if origin is tuple:
        entries = _expect(list, value, path)
        return tuple(_build(arguments[0], entry, f"{path}[{i}]") for i, entry in enumerate(entries))
    if origin in (dict, Mapping):
        return {name: _build(arguments[1], entry, _join(path, name)) for name, entry in _table(value, path).items()}
    if origin is type or not isinstance(expected, type):
        raise TypeError(f"{path}: settings cannot be of type {expected}")
    if expected in _PLAIN:
        return _expect(expected, value, path)
    if isinstance(value, str) and (names := kinds(expected)):
        near = "" if value in names else suggestion(value, names)
        raise ConfigError(f"{path} is {_show(value)}; it is a table, so set {path}.kind instead{near}")
    return _build_object(expected, _table(value, path), path)


def _build_union(choices: Sequence[Any], value: Any, path: str) -> Any:
    if isinstance(value, Mapping):
        table = _table(value, path)
        kinds = {kind_of(choice): choice for choice in choices if isinstance(choice, type) and choice not in _PLAIN}
        kind = table.get("kind")
        if not isinstance(kind, str) or kind not in kinds:
            raise ConfigError(f"{_join(path, 'kind')} is {_show(kind)}{suggestion(str(kind), kinds)}")
        return _build_object(kinds[kind], table, path)
    for choice in choices:
        if get_origin(choice) is Literal and value in get_args(choice):
            return value
        if choice in _PLAIN and _fits(choice, value):
            return _expect(choice, value, path)
    raise ConfigError(f"{path} is {_show(value)}; expected {' or '.join(_describe(choice) for choice in choices)}")


def _build_object(expected: type, table: Table, path: str) -> Any:
    registry, entry = _registry(expected), cast("Any", expected)
    if registry is not None and expected not in registry.values():
        kind = table.get("kind")
        if not isinstance(kind, str) or kind not in registry:
            raise ConfigError(f"{_join(path, 'kind')} is {_show(kind)}{suggestion(str(kind), registry)}")
        entry = registry[kind]
    if isinstance(entry, type) and issubclass(entry, Configured):
        return entry.from_config(table, path)
    settings = {name: value for name, value in table.items() if registry is None or name != "kind"}
    hints = get_type_hints(entry)  # of a class, or of a function that makes one at other defaults
    fields = {name: hints[name] for name in inspect.signature(entry).parameters}
    for name, value in settings.items():
        if name not in fields:
            raise NoSetting(_join(path, name), value, [_join(path, field) for field in fields])
    values = {name: _build(fields[name], value, _join(path, name)) for name, value in settings.items()}
    try:
        return entry(**values)
    except PellucidError as error:
        raise ConfigError(f"{path}: {error}" if path else str(error)) from error
    except TypeError as error:
        needed = inspect.signature(entry).parameters.values()
        missing = [one.name for one in needed if one.default is one.empty and one.name not in values]
        raise ConfigError(f"{path or 'the settings'} must say: {', '.join(missing)}") from error


def _places_without(expected: Any, table: Any, path: str, missing: NoSetting) -> list[str]:
    """All places of the value that is there without what is missing; none where it cannot be built so either."""
    keys = [key for key in re.split(r"[.\[\]]+", missing.path.removeprefix(path)) if key]
    rest = copy.deepcopy(table)
    try:
        inner = rest
        for key in keys[:-1]:
            inner = inner[int(key) if isinstance(inner, list) else key]
        del inner[keys[-1]]
        return places(dump(_build(expected, rest, path)), path)
    except NoSetting as another:
        return _places_without(expected, rest, path, another)
    except (PellucidError, LookupError, TypeError, ValueError):
        return []


def _meant(typed: str, known: Sequence[str]) -> str | None:
    """The place that somebody meant: a name like it beside it, or else the same or a like one elsewhere."""
    owner, _, name = typed.rpartition(".")
    beside = _beside(owner, known)
    if near := nearest_name(name, beside):
        return beside[near]
    lasts = [place.rpartition(".")[2] for place in known]
    alike = {place: difflib.SequenceMatcher(None, typed, place).ratio() for place in known}
    same = [place for place, last in zip(known, lasts, strict=True) if last == name]
    like = [p for p, last in zip(known, lasts, strict=True) if nearest_name(name, [last]) and alike[p] >= _ALIKE]
    return max(same or like, key=lambda place: alike[place], default=None)


def _beside(owner: str, known: Sequence[str]) -> dict[str, str]:
    """What a table holds, and how to set it; tables inside it are set by their kind."""
    inside = f"{owner}." if owner else ""
    entries = [(place, place.removeprefix(inside).partition(".")) for place in known if place.startswith(inside)]
    return {first: place for place, (first, _, rest) in entries if rest in ("", "kind")}


_ALIKE = 0.6  # share of the letters that two places have in common, from which on one may be meant for the other
_PLAIN = (str, int, float, bool)
_DEEPEST = 32  # tables in tables
_PARTS = re.compile(rf"""(?<![\w"'-])(?:[\w"'-]++[ \t]*+\.[ \t]*+){{{2 * _DEEPEST}}}""")
_LARGEST = 2**63 - 1
_SHOWN = 200  # letters of a value in an error
_NAMES = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


def _fits(expected: Any, value: Any) -> bool:
    if expected in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if expected is float else expected) and value == value  # noqa: PLR0124, no NaN


def _expect(expected: Any, value: Any, path: str) -> Any:
    if expected in (int, float) and isinstance(value, int) and abs(value) > _LARGEST:
        raise ConfigError(f"{path} is a whole number of more than 64 bits; give a smaller one")
    if not _fits(expected, value):
        raise ConfigError(f"{path} is {_show(value)}; expected {_NAMES[expected]}")
    return float(value) if expected is float else value


def _table(value: Any, path: str) -> Table:
    return _expect(dict, value, path or "the file")


def _describe(choice: Any) -> str:
    if get_origin(choice) is Literal:
        return " or ".join(map(_show, get_args(choice)))
    return _NAMES.get(choice) or f"a table of kind '{kind_of(choice)}'"


def _registry(owner: type) -> Registry[Any] | None:
    place: str | None = getattr(owner, "registry", None)
    if place is None:
        return None
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _show(value: Any) -> str:
    return "missing" if value is None else _short(json.dumps(value, default=str))


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _literal(text: str) -> Any:
    try:
        value = _tables(f"value = {text}")["value"]
        return text if isinstance(value, date | time) else _plain(value, "what is set")
    except tomllib.TOMLDecodeError:
        return text
    except (ValueError, RecursionError) as error:  # figures or brackets without end
        raise ConfigError(f"'{_short(text)}' is no value: {error}; give a shorter one") from error


def _tables(text: str) -> Table:
    """TOML as tables; its parser would brood for minutes over a name of thousands of parts."""
    if _PARTS.search(text):
        raise ConfigError(f"a name lies more than {_DEEPEST} tables deep; no setting does")
    return tomllib.loads(text)


def _plain(value: Any, path: str, depth: int = 0) -> Any:
    """The same value, if it is one that settings can be: TOML knows dates, numbers of any length, and any depth."""
    if depth > _DEEPEST:
        raise ConfigError(f"{_short(path)} lies more than {_DEEPEST} tables deep; no setting does")
    if isinstance(value, Mapping):
        for name, entry in cast("Mapping[str, Any]", value).items():
            _plain(entry, _join(path, name), depth + 1)
    elif isinstance(value, list):
        for place, entry in enumerate(cast("list[Any]", value)):
            _plain(entry, f"{path}[{place}]", depth + 1)
    elif isinstance(value, int) and abs(value) > _LARGEST:
        raise ConfigError(f"{_short(path)} is a whole number of more than 64 bits; give a smaller one")
    elif not isinstance(value, str | int | float):
        raise ConfigError(f"{_short(path)} is {value}, a date; settings are text, numbers, true or false")
    return value


def _at(table: Table, keys: Sequence[str]) -> Any:
    value: Any = table
    for key in keys:
        value = cast("Table", value).get(key, {}) if isinstance(value, dict) else value
    return value


def _same_kind(base: Table, own: Table) -> bool:
    return "kind" not in own or base.get("kind") == own["kind"]
