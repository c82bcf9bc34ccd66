"""Parts that fit into the time that an audit may take."""

import heapq
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from pellucid.audits.part import Part
from pellucid.evaluate.speed import Speed
from pellucid.subjects import Subject

_PLANNED = 0.8  # of the time: what is left is for reading, for the page, and for what takes longer than was thought
_PRIOR = 0.1  # of the whole plan: so much weight it keeps against what has been measured


class Deadline:
    """The time that an audit may take, from now on, and what its parts can do in what is left of it.

    What parts turn out to take corrects what the others are thought to take. So many `processes` share them.
    """

    def __init__(
        self, seconds: float, subjects: Sequence[Subject], speeds: Sequence[Speed], processes: int = 1
    ) -> None:
        self._ends = time.monotonic() + seconds
        self._seconds = seconds
        self._subjects, self._speeds = subjects, speeds
        self._processes = processes
        self._expected = self._taken = 0.0

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return self._ends - time.monotonic()

    def took(self, part: Part, model: int, seconds: float) -> None:
        """A part of a network has taken so long."""
        self._expected += self._expected_of(part, model)
        self._taken += seconds

    def fitted(
        self,
        parts: Mapping[str, Part],
        settled: Collection[str] = (),
        waiting: Iterable[tuple[int, str]] = (),
        elsewhere: Iterable[tuple[int, str]] = (),
    ) -> Mapping[str, Part]:
        """The parts as they fit: the dearest by its weight is made lighter, and again, and in the end left out.

        Those that fit as they are stay as they are, and so do those that are `settled`. Of these some networks are
        still `waiting` for somebody, and some are `elsewhere`, in the hands of other processes. One part is never
        left out, and what another leaves free goes to those that stay.
        """
        prior = _PRIOR * self._seconds
        pace = (self._taken + prior) / (self._expected + prior)

        def cost(part: Part) -> list[float]:
            return [pace * self._expected_of(part, model) for model in range(len(self._subjects))]

        first = [pace * self._expected_of(parts[name], model) for model, name in waiting]
        busy = [pace * self._expected_of(parts[name], model) for model, name in elsewhere]

        def fits(costs: Mapping[str, Sequence[float]], time: float) -> bool:
            seconds = [*first, *(one for own in costs.values() for one in own)]
            # who is busy for longer than that hinders nobody else
            return span_of(seconds, self._processes, [min(one, time) for one in busy]) <= time

        asked = {name: cost(part) for name, part in parts.items() if name not in settled}
        aim = max(0.0, _PLANNED * self.left)
        if fits(asked, max(0.0, self.left) if settled else aim):
            return dict(parts)
        without = set[str]()
        while True:
            found = {name: part for name, part in parts.items() if name not in without}
            costs = {name: own for name, own in asked.items() if name not in without}
            while not fits(costs, aim) and (lighter := self._lighter(found, costs)):
                name, part = lighter
                found[name], costs[name] = part, cost(part)
            if fits(costs, aim) or len(found) == 1 or not costs:
                return found
            # what weighs most is the last to go, unless there is no room for it alone
            large = [name for name, own in costs.items() if not fits({name: own}, aim)]
            without.add(max(large or costs, key=lambda name: sum(costs[name]) / found[name].weight ** 2))

    def _expected_of(self, part: Part, model: int) -> float:
        return seconds_of(part, self._subjects[model], self._speeds[model])

    def _lighter(self, parts: Mapping[str, Part], costs: Mapping[str, Sequence[float]]) -> tuple[str, Part] | None:
        """The dearest part by its weight that can be lighter, and what becomes of it; none where none can."""
        slowest = max(range(len(self._speeds)), key=lambda number: self._speeds[number].backward)
        for name in sorted(costs, key=lambda name: sum(costs[name]) / parts[name].weight, reverse=True):
            lighter = (
                parts[name].lighter(self._subjects[slowest], self._speeds[slowest]) if any(costs[name]) else None
            )
            if lighter is not None:
                return name, lighter
        return None


def span_of(seconds: Iterable[float], processes: int = 1, busy: Sequence[float] = ()) -> float:
    """How long works take of so many seconds each, which processes take up in turn, each when it is free.

    Some processes are `busy` for so long before.
    """
    free = sorted([*busy, *[0.0] * processes], reverse=True)[:processes]
    heapq.heapify(free)
    for one in seconds:
        heapq.heapreplace(free, free[0] + one)
    return max(free)


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
