"""A registry: one literal mapping from name to entry, open to other packages through entry points."""

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from typing import Any, TypeVar

from pellucid.errors import UnknownName, suggestion

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """Names of one kind. A miss is looked up among the entry points `pellucid.<kind>s` before it is an error."""

    def __init__(self, kind: str, entries: Mapping[str, T]) -> None:
        self.kind = kind
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> T:
        if name in self._entries:
            return self._entries[name]
        for point in entry_points(group=f"pellucid.{self.kind}s", name=name):
            return point.load()
        raise UnknownName(f"no {self.kind} is called '{name}'{suggestion(name, self)}")

    def __contains__(self, name: object) -> bool:
        return name in set(self)

    def __iter__(self) -> Iterator[str]:
        yield from self._entries
        for point in entry_points(group=f"pellucid.{self.kind}s"):
            if point.name not in self._entries:
                yield point.name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def name_of(self, entry: Any) -> str:
        """The name under which `entry` is listed."""
        for name, listed in self.items():
            if listed is entry:
                return name
        raise UnknownName(f"{entry!r} is not registered as a {self.kind}")


def describe(entry: Any) -> str:
    """What an entry says of itself: its summary, or the first line of its docstring."""
    summary: str | None = getattr(entry, "summary", None)
    return summary or (entry.__doc__ or "").strip().partition("\n")[0]
