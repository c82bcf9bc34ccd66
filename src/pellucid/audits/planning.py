"""How long an audit takes: told from a pass that is timed, and corrected while it is carried out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pellucid.audits.fitting import seconds_of
from pellucid.audits.folder import AuditFolder
from pellucid.audits.profile import Profile
from pellucid.data import sequential
from pellucid.errors import PellucidError
from pellucid.evaluate.speed import UNKNOWN, Speed
from pellucid.explainers import room
from pellucid.subjects import Subject

_ROWS = 32  # images at most that a network is timed on
_TRUST = 0.1  # of the whole plan: so much weight the plan keeps against what has been measured


@dataclass(frozen=True)
class Planned:
    """A part of the audit of a network that is still to do, and how many seconds it is expected to take.

    They are 0 where nothing could be told beforehand.
    """

    model: int
    part: str
    seconds: float


def plan(
    subjects: Sequence[Subject], profile: Profile, folder: AuditFolder, speeds: Sequence[Speed] | None = None
) -> list[Planned]:
    """What is still to do, part by part; how long it takes is told from passes that are timed now, or were.

    Parts that cannot be done are left out: those that need labels where there are none.
    """
    speeds = speeds_of(subjects, profile.parts, folder) if speeds is None else speeds
    begun = (folder.path / "audit.json").exists()
    return [
        Planned(number, name, seconds_of(part, subject, speeds[number]))
        for name, part in profile.parts.items()
        for number, subject in enumerate(subjects)
        if part.fits(subject) and not (begun and folder.complete(number, name))
    ]


def speeds_of(subjects: Sequence[Subject], parts: Iterable[str], folder: AuditFolder) -> list[Speed]:
    """How fast each network is; unknown of those that nothing is left to do of."""
    names = tuple(parts)
    try:
        done = [all(folder.complete(number, name) for name in names) for number in range(len(subjects))]
    except PellucidError:  # nothing was begun, or what says what it was is damaged
        done = [False] * len(subjects)
    return [UNKNOWN if over else speed_of(subject) for subject, over in zip(subjects, done, strict=True)]


class Pace:
    """A plan that is corrected while it is carried out."""

    def __init__(self, planned: Sequence[Planned]) -> None:
        self._left = {(entry.model, entry.part): entry.seconds for entry in planned}
        self._prior = _TRUST * sum(self._left.values())
        self._planned = self._taken = 0.0

    def done(self, model: int, part: str, seconds: float) -> None:
        """A part has taken so many seconds."""
        self._planned += self._left.pop((model, part), 0.0)
        self._taken += seconds

    def left(self, model: int | None = None, part: str = "", elapsed: float = 0.0) -> float:
        """The seconds that are left, with a part `elapsed` seconds old; one that overruns is about to end."""
        ratio = (self._taken + self._prior) / (self._planned + self._prior) if self._prior else 1.0
        current = 0.0 if model is None else self._left.get((model, part), 0.0)
        others = sum(self._left.values()) - current
        return others * ratio + max(current * ratio - elapsed, 0.0)


def speed_of(subject: Subject) -> Speed:
    """How fast the network is at its images; no more go through it at once than a part lets go."""
    some = subject.split.take(min(_ROWS, rows_at_once(subject)))
    (batch,) = some.batches(sequential(some, len(some)))
    return Speed.of(subject.model, batch)


def rows_at_once(subject: Subject) -> int:
    """How many images a pass may keep at once for the way back; as many as are any faster, where that is unknown."""
    some = subject.split.take(1)
    (batch,) = some.batches(sequential(some, 1))
    return room.rows_at_once(subject.model, batch.x)
