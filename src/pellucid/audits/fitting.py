"""Parts that fit into the time that an audit may take."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, cast

from pellucid.audits.part import Part
from pellucid.evaluate.speed import Speed
from pellucid.subjects import Subject

_PLANNED = 0.8  # of the time: what is left is for reading, for the page, and for what takes longer than was thought
_PRIOR = 0.1  # of the whole plan: so much weight it keeps against what has been measured


class Deadline:
    """The time that an audit may take, from now on, and what its parts can do in what is left of it.

    What parts turn out to take corrects what the others are thought to take.
    """

    def __init__(self, seconds: float, subjects: Sequence[Subject], speeds: Sequence[Speed]) -> None:
        self._ends = time.monotonic() + seconds
        self._seconds = seconds
        self._subjects, self._speeds = subjects, speeds
        self._expected = self._taken = 0.0

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return self._ends - time.monotonic()

    def expected(self, part: Part) -> float:
        """How long a part is thought to take all networks."""
        pairs = zip(self._subjects, self._speeds, strict=True)
        return sum(seconds_of(part, subject, speed) for subject, speed in pairs)

    def took(self, part: Part, seconds: float) -> None:
        """A part has taken so long."""
        self._expected += self.expected(part)
        self._taken += seconds

    def fitted(self, parts: Mapping[str, Part], settled: Collection[str] = ()) -> Mapping[str, Part]:
        """The parts as they fit: the dearest by its weight is made lighter, and again, and in the end left out.

        Those that fit as they are stay as they are, and so do those that are `settled`. One is never left out, and
        what another leaves free goes to those that stay.
        """
        prior = _PRIOR * self._seconds
        pace = (self._taken + prior) / (self._expected + prior)
        asked = {name: pace * self.expected(part) for name, part in parts.items() if name not in settled}
        if sum(asked.values()) <= (self.left if settled else _PLANNED * self.left):
            return dict(parts)
        aim, without = max(0.0, _PLANNED * self.left), set[str]()
        while True:
            found = {name: part for name, part in parts.items() if name not in without}
            costs = {name: cost for name, cost in asked.items() if name not in without}
            while sum(costs.values()) > aim and (lighter := self._lighter(found, costs)):
                name, part = lighter
                found[name], costs[name] = part, pace * self.expected(part)
            if sum(costs.values()) <= aim or len(found) == 1:
                return found
            without.add(max(costs, key=lambda name: costs[name] / found[name].weight))

    def _lighter(self, parts: Mapping[str, Part], costs: Mapping[str, float]) -> tuple[str, Part] | None:
        """The dearest part by its weight that can be lighter, and what becomes of it; none where none can."""
        slowest = max(range(len(self._speeds)), key=lambda number: self._speeds[number].backward)
        for name in sorted(costs, key=lambda name: costs[name] / parts[name].weight, reverse=True):
            lighter = parts[name].lighter(self._subjects[slowest], self._speeds[slowest]) if costs[name] else None
            if lighter is not None:
                return name, lighter
        return None


def seconds_of(part: Part, subject: Subject, speed: Speed) -> float:
    """How long a part is thought to take a network: 0 where it does not apply, or where nothing could be told."""
    if not part.fits(subject):
        return 0.0
    try:
        return speed.seconds(part.passes(subject))
    except Exception:  # what it stumbles over is reported when the part is carried out
        return 0.0


def left_out(asked: Mapping[str, Any], parts: Mapping[str, Any]) -> list[str]:
    """What the parts of an audit do not do of what was asked, in a line for each; both as tables of settings."""
    lines: list[str] = []
    for name, table in asked.items():
        if name not in parts:
            lines.append(f"{name}: left out")
        elif said := list(_less(table, parts[name])):
            lines.append(f"{name}: {'; '.join(said)}")
    return lines


def _less(asked: Mapping[str, Any], own: Mapping[str, Any], under: str = "") -> Iterator[str]:
    for name, value in asked.items():
        kept = own.get(name)
        if name == "without":
            if gone := [str(entry) for entry in kept or () if entry not in value]:
                yield f"without {', '.join(gone)}"
        elif isinstance(value, Mapping) and isinstance(kept, Mapping):
            inner = cast("Mapping[str, Any]", kept)
            if gone := [key for key in cast("Mapping[str, Any]", value) if key not in inner]:
                yield f"without {', '.join(gone)}"
            yield from _less({key: one for key, one in value.items() if key in inner}, inner, f"{under}{name}.")
        elif kept != value:
            yield f"{under}{name} {kept} instead of {'all' if name == 'n' and value == 0 else value}"
