"""How long an audit takes: told from a pass that is timed, and corrected while it is carried out."""

from collections.abc import Sequence
from dataclasses import dataclass

from pellucid.audits.folder import AuditFolder
from pellucid.audits.part import Part
from pellucid.audits.profile import Profile
from pellucid.data import sequential
from pellucid.evaluate.speed import Speed
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


def plan(subjects: Sequence[Subject], profile: Profile, folder: AuditFolder) -> list[Planned]:
    """What is still to do, network by network; how long it takes is told from passes that are timed now.

    Parts that cannot be done are left out: those that need labels where there are none.
    """
    found: list[Planned] = []
    begun = (folder.path / "audit.json").exists()
    for number, subject in enumerate(subjects):
        lacking = {
            name: part
            for name, part in profile.parts.items()
            if part.fits(subject) and not (begun and folder.complete(number, name))
        }
        if lacking:
            speed = speed_of(subject)
            found += [Planned(number, name, _seconds(part, subject, speed)) for name, part in lacking.items()]
    return found


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
    """How fast the network is at its images."""
    some = subject.split.take(_ROWS)
    (batch,) = some.batches(sequential(some, len(some)))
    return Speed.of(subject.model, batch)


def _seconds(part: Part, subject: Subject, speed: Speed) -> float:
    try:
        return speed.seconds(part.passes(subject))
    except Exception:  # what it stumbles over is reported when the part is carried out
        return 0.0
