"""Values by the words that a person types: a name, and settings as `setting=value`."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pellucid import config
from pellucid.config import Table
from pellucid.errors import ConfigError
from pellucid.registry import Registry

T = TypeVar("T")


def named(
    expected: type[T], registry: Registry[Any], name: str, assignments: Sequence[str] = (), path: str = ""
) -> T:
    """The entry of a name, with settings as `setting=value`; as `path.setting=value` a person typed them."""
    table = defaults(registry[name], name)
    for assignment in assignments:
        table = config.override(table, assignment)
    return config.build(expected, table, path)


def several(
    expected: type[T], registry: Registry[Any], names: Sequence[str], own: Mapping[str, Sequence[str]]
) -> dict[str, T]:
    """The entries of several names, each with what `shared_out` found to be its own."""
    return {name: named(expected, registry, name, own[name], name if len(own) > 1 else "") for name in names}


def shared_out(tables: Mapping[str, Table], assignments: Sequence[str]) -> Mapping[str, list[str]]:
    """Whose settings `name.setting=value` are, given everyone's; of a single name as `setting=value` too."""
    own: dict[str, list[str]] = {name: [] for name in tables}
    known = [
        place for name, table in tables.items() for place in config.places(table, name) if place != f"{name}.kind"
    ]
    for assignment in assignments:
        typed = assignment.partition("=")[0].strip()
        owner, _, rest = typed.partition(".")
        if owner in own and rest:
            own[owner].append(assignment.removeprefix(f"{owner}."))
        elif typed in own:
            raise ConfigError(f"'{assignment}' names no setting of '{typed}'; write it as {typed}.name=value")
        elif len(own) == 1:
            own[next(iter(own))].append(assignment)
        elif owners := [name for name in own if f"{name}.{typed}" in known]:
            raise ConfigError(
                f"'{assignment}' does not say whose setting it is; write it as {owners[0]}.{assignment}"
            )
        else:
            raise config.no_setting(typed, known)
    return own


_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)


def duration(text: str) -> float | None:
    """Seconds, as people write a time; none where it is none.

    >>> duration("90s"), duration("10m"), duration("1h30m"), duration("10"), duration("0m")
    (90.0, 600.0, 5400.0, None, None)
    """
    form = _DURATION.fullmatch(text.strip())
    parts = form.groups() if form else ()
    if any(part is not None and len(part) > 6 for part in parts):
        return None
    hours, minutes, seconds = (int(part or 0) for part in parts) if parts else (0, 0, 0)
    return float(3600 * hours + 60 * minutes + seconds) or None


def number(text: str) -> float | None:
    """A finite number as people write it, or a fraction such as 8/255; none where it is neither.

    >>> number("0.5"), number(" 8/255 ") == 8 / 255, number("1e999"), number("1/0"), number("nan"), number("8/")
    (0.5, True, None, None, None, None)
    """
    form = _NUMBER.fullmatch(text.strip())
    if form is None:
        return None
    try:
        value = float(form["above"]) / float(form["below"] or 1)
    except (ValueError, ZeroDivisionError):
        return None
    return value if math.isfinite(value) else None


_NUMBER = re.compile(r"(?P<above>[+-]?[\d.]+(?:[eE][+-]?\d+)?)\s*(?:/\s*(?P<below>[\d.]+))?", re.ASCII)


def defaults(entry: Any, name: str) -> Table:
    """The settings of an entry where nobody says otherwise, so that one inside another can be changed alone."""
    try:
        return config.dump(entry())
    except TypeError:  # one that has to be told something has none
        return {"kind": name}
