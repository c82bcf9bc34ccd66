"""A registry: one literal mapping from name to entry, open to other packages through entry points."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Generic, TypeVar

from pellucid.errors import UnknownName, suggestion

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Names of one kind, and what each stands for: a value, or the place of one as `package.module:name`.

    A place is imported when its name is asked for, so that names can be listed, and misspelled ones refused, before
    anything heavy is imported. A miss is looked up among the entry points `pellucid.<kind>s` before it is an error.
    """

    def __init__(self, kind: str, entries: Mapping[str, T | str]) -> None:
        self.kind = kind
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> T:
        if name in self._entries:
            entry: Any = self._entries[name]
            return _at(entry) if isinstance(entry, str) else entry
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
        """The name under which `entry`, a class or a function, is listed."""
        place = f"{getattr(entry, '__module__', '')}:{getattr(entry, '__qualname__', '')}"
        for name, listed in self._entries.items():
            if listed is entry or listed == place:
                return name
        for name in self:
            if name not in self._entries and self[name] is entry:
                return name
        raise UnknownName(f"{entry!r} is not registered as a {self.kind}")

    def summary_of(self, name: str) -> str:
        """The line that an entry says of itself, read from its source where the entry is known by its place.

        A class or function has a docstring; a constant is made by a call with a text as its `summary` or its first.
        """
        entry = self._entries.get(name)
        return _written_at(entry) if isinstance(entry, str) else describe(self[name])


def describe(entry: Any) -> str:
    """The line that an entry says of itself: its summary, or the first line of its docstring."""
    summary: str | None = getattr(entry, "summary", None)
    return summary or (entry.__doc__ or "").strip().partition("\n")[0]


def _at(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def _written_at(place: str) -> str:
    """What stands at a place whose module is not imported for it."""
    module, _, name = place.partition(":")
    for node in _parsed(module).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return (ast.get_docstring(node) or "").partition("\n")[0]
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _assigns(node, name):
            named = [argument.value for argument in node.value.keywords if argument.arg == "summary"]
            for said in [*named, *node.value.args[:1]]:
                if isinstance(said, ast.Constant) and isinstance(said.value, str):
                    return said.value
    return describe(_at(place))


@cache
def _parsed(module: str) -> ast.Module:
    """The source of a module, found without the import of the packages around it, which `find_spec` would do."""
    package, *inner = module.split(".")
    spec = find_spec(package)
    for name in inner:
        if spec is not None:
            spec = PathFinder.find_spec(f"{spec.name}.{name}", spec.submodule_search_locations or [])
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"there is no module {module}")
    return ast.parse(Path(spec.origin).read_text("utf-8"))


def _assigns(node: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
