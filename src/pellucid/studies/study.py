"""A study as data: networks in rows, measurements in columns, and what is claimed about them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pellucid import config, runs
from pellucid.config import Table
from pellucid.errors import ConfigError, UnknownName, suggestion
from pellucid.studies.claim import Claim
from pellucid.studies.column import Column
from pellucid.train.references import Taught

_NAME = re.compile(r"[^\x00-\x1f/\\]{1,80}")


@dataclass(frozen=True)
class Row:
    """Networks that differ in their seeds alone: a recipe, a preset of it, and what is changed of that.

    `settings` are set by path, such as `{"references.reference.permute": 1.0}`. `about` says what the row is for.
    """

    name: str
    recipe: str
    preset: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    about: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError(
                f"a row is called {self.name[:80]!r}; give it a name of 1 to 80 letters, without slashes"
            )


@dataclass(frozen=True)
class Scale:
    """How much of everything.

    `settings` are set by path in every row and every teacher that has such a setting. Networks are looked at with
    `images` of the test images, and with `few` by columns that are dear; all are taken at 0. So many `seeds` are
    trained where nobody says which.
    """

    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    images: int = 0
    few: int = 0
    seeds: int = 3

    def __post_init__(self) -> None:
        for name in ("images", "few"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} is {getattr(self, name)}; give 1 or more, or 0 for all")
        if self.seeds < 1:
            raise ConfigError(f"seeds is {self.seeds}; give 1 or more")


@dataclass(frozen=True)
class Study:
    """Rows of networks, columns of measurements, and claims about both; scales say how much of everything.

    `summary` says in a line what it is about, `paper` whose claims they are, and `remarks` what a reader has to know,
    such as what differs from the paper. A column takes its name in the mapping.
    """

    summary: str
    rows: tuple[Row, ...]
    columns: Mapping[str, Column]
    claims: tuple[Claim, ...]
    scales: Mapping[str, Scale]
    paper: str = ""
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [row.name for row in self.rows]
        for what, given in (("row", names), ("claim", [claim.says for claim in self.claims])):
            if twice := [name for name in given if given.count(name) > 1]:
                raise ConfigError(f"the {what} '{twice[0]}' stands there twice; give each a name of its own")
        for what, there in (("row", self.rows), ("column", self.columns), ("scale", self.scales)):
            if not there:
                raise ConfigError(f"a study needs a {what}; give one or more")
        for claim in self.claims:
            for place in (*claim.first, *claim.second):
                if place.row not in names:
                    raise ConfigError(f"a claim names the row '{place.row}'{suggestion(place.row, names)}")
                column = place.figure.partition("/")[0]
                if column not in self.columns:
                    raise ConfigError(f"a claim names the column '{column}'{suggestion(column, self.columns)}")

    def scale(self, name: str) -> Scale:
        """A scale by its name."""
        if name not in self.scales:
            raise UnknownName(f"the study has no scale '{name}'{suggestion(name, self.scales)}")
        return self.scales[name]

    def row(self, name: str) -> Row:
        """A row by its name."""
        for row in self.rows:
            if row.name == name:
                return row
        raise UnknownName(f"the study has no row '{name}'{suggestion(name, [row.name for row in self.rows])}")


def settings_of(row: Row, scale: Scale, *, seed: int, source: str = "", assignments: Sequence[str] = ()) -> Table:
    """What a row's network of a seed is trained by: its preset, the row's own changes, the scale, and `a.b=c` typed.

    What a scale or somebody who types sets of a training is set of its teacher too, where a row says nothing else.
    """
    table = _changed(runs.table(row.recipe, {"seed": seed}, preset=row.preset), row.settings)
    table = _changed(table, dict(_scaled(table, scale)))
    table = _changed(table, row.settings)  # which says more than the scale does
    if source:
        table = config.assign(table, ("data", "source"), source)
    for assignment in assignments:
        table = config.override(table, assignment)
        if assignment.startswith("recipe."):
            for place in _teachers(table):
                table = config.override(table, f"{place}.settings.{assignment}")
    return table


def unused(study: Study, scale: Scale) -> list[str]:
    """The settings of a scale that no row and no teacher has."""
    tables = [settings_of(row, Scale(), seed=0) for row in study.rows]
    used = {path.rpartition(".settings.")[2] for table in tables for path, _ in _scaled(table, scale)}
    return [path for path in scale.settings if path not in used]


def _scaled(table: Table, scale: Scale) -> Iterator[tuple[str, Any]]:
    """What a scale sets of a row and of its teachers, which share all but how they are trained."""
    for path, value in scale.settings.items():
        if _has(table, path):
            yield path, value
    for place, taught in _teachers(table).items():
        lesson = runs.table(taught.get("recipe", Taught.recipe), preset=taught.get("preset", ""))
        for path, value in scale.settings.items():
            if path.partition(".")[0] in ("recipe", "objective", "references") and _has(lesson, path):
                yield f"{place}.settings.{path}", value


def _teachers(table: Table) -> dict[str, Table]:
    """The references that teachers make, by where they stand."""
    maps = table.get("references", {})
    return {f"references.{name}": one for name, one in maps.items() if one.get("kind") == "taught"}


def _has(table: Any, path: str) -> bool:
    name, _, rest = path.partition(".")
    return isinstance(table, dict) and name in table and (not rest or _has(table[name], rest))


def _changed(table: Table, settings: Mapping[str, Any]) -> Table:
    for path, value in settings.items():
        table = config.assign(table, path.split("."), value)
    return table
