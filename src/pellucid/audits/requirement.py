"""What a network must hold: a figure, a relation and a number, as a person or a build script writes them."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pellucid import naming
from pellucid.audits.part import Announced, Part
from pellucid.errors import ConfigError, UnknownName, nearest_name, suggestion
from pellucid.page.figure import Figure
from pellucid.subjects import Subject

End = Literal["value", "low", "high"]
Relation = Literal[">=", ">", "<=", "<"]

_FORM = re.compile(
    r"\s*(?P<name>[A-Za-z_][\w-]*)\s*(?:\((?P<arguments>[^()]*)\))?\s*(?:\.\s*(?P<end>[A-Za-z]+))?"
    r"\s*(?P<relation>>=|<=|>|<)\s*(?P<bound>\S.*?)\s*",
    re.ASCII,
)
_HOW = "write it as accuracy >= 0.9 or robust_accuracy(linf, 8/255).low >= 40%"


@dataclass(frozen=True)
class Requirement:
    """`robust_accuracy(linf, 8/255) >= 0.4`: every network's figure, or an `end` of its interval, must hold it.

    Arguments that are numbers are compared as numbers, so 0.031372549 means 8/255.
    """

    name: str
    arguments: tuple[str, ...]
    relation: Relation
    bound: float
    end: End = "value"

    @classmethod
    def parse(cls, text: str) -> "Requirement":
        """The inverse of `str`; numbers may be decimals, fractions or percentages."""
        form = _FORM.fullmatch(text)
        if form is None:
            raise ConfigError(f"'{text}' is no requirement; {_HOW}")
        arguments = tuple(word.strip() for word in form["arguments"].split(",")) if form["arguments"] else ()
        if not all(arguments):
            raise ConfigError(f"'{text}' has an empty argument; {_HOW}")
        end = form["end"] or "value"
        if end not in ("value", "low", "high"):
            raise ConfigError(f"'{text}' asks for '{end}'; an interval has the ends low and high")
        bound = _number(form["bound"])
        if bound is None:
            raise ConfigError(f"'{form['bound']}' in '{text}' is no number; give one such as 0.4, 8/255 or 40%")
        return cls(form["name"], arguments, form["relation"], bound, end)  # pyright: ignore[reportArgumentType]

    @property
    def figure(self) -> str:
        """The figure as it is written."""
        return f"{self.name}({', '.join(self.arguments)})" if self.arguments else self.name

    def __str__(self) -> str:
        end = "" if self.end == "value" else f".{self.end}"
        return f"{self.figure}{end} {self.relation} {self.bound!r}"

    def of(self, name: str, arguments: Sequence[str] | None) -> bool:
        """Whether this speaks of the figure of a name with these arguments; with none, of one with any."""
        if name != self.name:
            return False
        if arguments is None:
            return True
        return len(arguments) == len(self.arguments) and all(map(_alike, arguments, self.arguments))

    def holds(self, figure: Figure) -> bool:
        """Whether the figure is as required; one without a value is not."""
        if figure.estimate is None:
            return False
        value: float = getattr(figure.estimate, self.end)
        match self.relation:
            case ">=":
                return value >= self.bound
            case ">":
                return value > self.bound
            case "<=":
                return value <= self.bound
            case "<":
                return value < self.bound


@dataclass(frozen=True)
class Required:
    """What every network must hold, as requirements or their text.

    A figure whose checks failed does not count, unless with `allow_failed_checks`; then that is said.
    """

    requirements: Sequence[str | Requirement] = ()
    allow_failed_checks: bool = False

    @property
    def parsed(self) -> list[Requirement]:
        """The requirements; a text that is none is an error."""
        return [one if isinstance(one, Requirement) else Requirement.parse(one) for one in self.requirements]


@dataclass(frozen=True)
class Shortfall:
    """A requirement that a network does not hold, and what was found instead."""

    requirement: Requirement
    model: str
    found: str

    def __str__(self) -> str:
        return f"{self.model} does not hold {self.requirement}: {self.found}"


def announced(requirements: Iterable[Requirement], known: Sequence[Announced] | None) -> None:
    """Refuse a requirement of a figure that no part will find; `known` is none where that cannot be told yet."""
    if known is None:
        return
    for one in requirements:
        if any(one.of(entry.name, entry.arguments) for entry in known):
            continue
        meant = nearest_name(one.figure, [str(entry) for entry in known])
        if not any(str(entry) == meant and entry.arguments is None for entry in known):  # else the network tells
            raise UnknownName(_unknown(one, [str(entry) for entry in known]))


def announced_of(requirements: Sequence[Requirement], parts: Iterable[Part], subjects: Sequence[Subject]) -> None:
    """Refuse a requirement of a figure that no part will find of one of the networks, now that they are at hand."""
    every = list(parts)
    for subject in subjects:
        found = [part.announced_of(subject) for part in every if part.fits(subject)]
        if any(own is None for own in found):
            continue
        known = [entry for own in found for entry in own or ()]
        lost = [entry for part in every if not part.fits(subject) for entry in part.announced_of(subject) or ()]
        for one in requirements:
            if any(one.of(entry.name, entry.arguments) for entry in known):
                continue
            if any(one.of(entry.name, entry.arguments) for entry in lost):
                raise ConfigError(
                    f"'{one.figure}' needs the right answers, and these images have no labels; leave it out"
                )
            raise UnknownName(f"of '{subject.name}' {_unknown(one, [str(entry) for entry in known])}")


def shortfalls(
    requirements: Sequence[Requirement], figures: Sequence[Mapping[str, Any]], models: Sequence[str]
) -> list[Shortfall]:
    """Which networks do not hold which requirements, of the figures of an audit as `AuditFolder` has them.

    A network without the figure does not hold it, be it that the part that finds it failed.
    """
    found = [(int(entry["network"]), Figure.from_record(entry)) for entry in figures]
    short: list[Shortfall] = []
    for one in requirements:
        for number, model in enumerate(models):
            own = [figure for network, figure in found if network == number]
            spoken_of = [figure for figure in own if one.of(figure.name, figure.arguments)]
            if not spoken_of:
                short.append(Shortfall(one, model, _unknown(one, list(map(str, own)))))
            short += [
                Shortfall(one, model, figure.note if figure.estimate is None else str(figure.estimate))
                for figure in spoken_of
                if not one.holds(figure)
            ]
    return short


def _unknown(one: Requirement, known: Sequence[str]) -> str:
    near = suggestion(one.figure, known)
    listed = f"; known are {', '.join(sorted(known))}" if "did you mean" in near else ""
    return f"no figure is called '{one.figure}'{near}{listed}"


def _alike(one: str, other: str) -> bool:
    if one == other:
        return True
    left, right = _number(one), _number(other)
    return left is not None and right is not None and math.isclose(left, right, rel_tol=1e-6)


def _number(text: str) -> float | None:
    share = text.strip().removesuffix("%")
    value = naming.number(share)
    if value is None or (share != text.strip() and "/" in share):
        return None
    return value if share == text.strip() else value / 100
