"""Values by the words that a person types: a name, and settings as `setting=value`."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pellucid import config
from pellucid.config import Table
from pellucid.errors import ConfigError
from pellucid.registry import Registry

T = TypeVar("T")


def named(expected: type[T], registry: Registry[Any], name: str, assignments: Sequence[str] = ()) -> T:
    """The entry of a name, with settings as `setting=value`."""
    table = _defaults(registry[name], name)
    for assignment in assignments:
        table = config.override(table, assignment)
    return config.build(expected, table)


def shared_out(names: Sequence[str], assignments: Sequence[str]) -> Mapping[str, list[str]]:
    """Whose settings `name.setting=value` are; of a single name as `setting=value` too."""
    own: dict[str, list[str]] = {name: [] for name in names}
    for assignment in assignments:
        owner, _, rest = assignment.partition("=")[0].partition(".")
        if owner in own and rest:
            own[owner].append(assignment.removeprefix(f"{owner}."))
        elif len(own) == 1:
            own[names[0]].append(assignment)
        else:
            raise ConfigError(f"'{assignment}' does not say whose setting it is; write it as {names[0]}.{assignment}")
    return own


def _defaults(entry: Any, name: str) -> Table:
    """Its settings where nobody says otherwise, so that one inside another can be changed alone."""
    try:
        return config.dump(entry())
    except TypeError:  # one that has to be told something has none
        return {"kind": name}
