"""How long an audit takes: told from a pass that is timed, and corrected while it is carried out."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from pellucid.audits.folder import AuditFolder
from pellucid.audits.part import Part
from pellucid.audits.profile import Profile
from pellucid.batch import Batch
from pellucid.data import sequential
from pellucid.evaluate.explanations import Passes
from pellucid.memory import out_of_memory
from pellucid.probe import Probe, frozen, slope
from pellucid.subjects import Subject

_ROWS, _TIMES = 32, 3
_PATIENCE = 1.0  # seconds that an image may take before one is timed and no more
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
            speed = Speed.of(subject)
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


def time_in_words(seconds: float) -> str:
    """A time as a person says it, no finer than it can be known."""
    if seconds < 1:
        return "under a second"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 99.5 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


@dataclass(frozen=True)
class Speed:
    """Seconds that one image takes through a network, there and back; and more where that way is differentiated."""

    forward: float
    backward: float
    differentiation: float

    @classmethod
    def of(cls, subject: Subject, rows: int = _ROWS) -> "Speed":
        """The fastest of a few passes over some of the images, after one that warms up; over as many as fit."""
        try:
            some = subject.split.take(rows)
            (batch,) = some.batches(sequential(some, len(some)))
            with frozen(subject.model):
                first = _passed(subject.model, batch.rows(slice(1)))  # which warms up, and is all where it is slow
                if sum(first) > _PATIENCE:
                    return cls._told([first], 1)
                return cls._told([_passed(subject.model, batch) for _ in range(1 + _TIMES)][1:], len(batch))
        except Exception as error:
            if not out_of_memory(error) or rows == 1:
                return cls(0.0, 0.0, 0.0)  # nobody knows; the parts will say what the network fails at
        return cls.of(subject, max(1, min(rows, len(subject.split)) // 2))

    @classmethod
    def _told(cls, timed: Sequence[tuple[float, float, float]], images: int) -> "Speed":
        there, back, twice = (min(times) / images for times in zip(*timed, strict=True))
        return cls(there, back, max(twice - there - back, 0))

    def seconds(self, passes: Passes) -> float:
        """How long so many passes take."""
        there, back = passes.forwards * self.forward, passes.backwards * self.backward
        return there + back + passes.differentiated * self.differentiation


def _passed(model: nn.Module, batch: Batch) -> tuple[float, float, float]:
    """Seconds of a pass, of the way back, and of both with the gradient differentiated."""
    probe = Probe(model, batch.at(batch.x.detach().clone()), second_order=False)
    began = time.perf_counter()
    logits = probe.logits
    _wait(logits.device)
    between = time.perf_counter()
    if logits.requires_grad:  # else the network is without gradients, and what needs them will say so
        probe.gradient("label-logit", detached=True)
        _wait(logits.device)
    middle = time.perf_counter()
    if logits.requires_grad:
        _differentiated(model, batch)
        _wait(logits.device)
    return between - began, middle - between, time.perf_counter() - middle


def _differentiated(model: nn.Module, batch: Batch) -> None:
    probe = Probe(model, batch.at(batch.x.detach().clone()), second_order=True)
    try:
        slope(probe.gradient("label-logit").flatten(1).square().sum(1), probe.x)
    except Exception as error:
        if out_of_memory(error):
            raise
        return  # its gradients have none; what needs them will say so


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _seconds(part: Part, subject: Subject, speed: Speed) -> float:
    try:
        return speed.seconds(part.passes(subject))
    except Exception:  # what it stumbles over is reported when the part is carried out
        return 0.0
