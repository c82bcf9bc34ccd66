"""What every part of an audit is: a frozen value that looks at one network and says what it found."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast, final

from PIL import Image

from pellucid.audits.finding import Finding
from pellucid.batch import Batch
from pellucid.data import Split, sample, sequential
from pellucid.drawing import png
from pellucid.errors import ConfigError
from pellucid.evaluate.explanations import Passes
from pellucid.evaluate.speed import Speed
from pellucid.ledger import Job, Progress, checksums
from pellucid.subjects import Subject


@dataclass(frozen=True)
class Announced:
    """A figure that a part is going to find. Its arguments are none where they hang on the network."""

    name: str
    arguments: tuple[str, ...] | None = ()

    def __str__(self) -> str:
        arguments = "..." if self.arguments is None else ", ".join(self.arguments)
        return f"{self.name}({arguments})" if arguments else self.name


def _unheard(done: int, total: int, words: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, eq=False)
class Task:
    """What a part is given: a network with its images, a folder of its own, and who wants to hear how far it is.

    What lies in `place` from an attempt that was stopped is gone on with; pictures and records stay there.
    """

    subject: Subject
    place: Path
    seed: int = 0
    watch: Callable[[int, int, str], None] = _unheard
    rows: int | None = None  # images at once for which there is memory, where that is known

    def some(self, n: int) -> Split:
        """A sample of `n` of the images, the same for every part that asks for as many."""
        return sample(self.subject.split, n, seed=self.seed)

    def job(self, batch: int, said: Callable[[Progress], str]) -> Job:
        """How a long work is done for it: with so many images at once, of which is `said` how far it is."""
        batch = batch if self.rows is None else min(batch, self.rows)
        return Job(batch, watch=lambda step: self.watch(step.done, step.total, said(step)))

    def keep(self, picture: Image.Image, name: str) -> str:
        """Save a picture, and say where it lies, seen from the network's folder."""
        checksums.write(self.place / f"{name}.png", png(picture))
        return f"{self.place.name}/{name}.png"

    def batch(self, n: int) -> Batch:
        """A sample of `n` of the images as one batch, the same for every part that asks for as many."""
        some = self.some(n)
        (batch,) = some.batches(sequential(some, len(some)))
        return batch


class Part(ABC):
    """A part of an audit. Final classes are frozen dataclasses listed in `PARTS`.

    `labeled` is whether it needs to know the right answers. `section` is the place of its section of the page,
    `package.module:Class`; without one it is the section in `section.py` beside it, and where there is none either
    the page has a table of its figures.
    """

    registry: ClassVar[str] = "pellucid.audits:PARTS"
    labeled: ClassVar[bool] = True
    section: ClassVar[str] = ""
    lightened: ClassVar[Sequence[tuple[str, int]]] = ()
    """Settings that are halved in turn where time is short, each down to so much."""
    weight: ClassVar[float] = 1.0
    """Its share of the time where time is short, next to those of other parts."""

    @final
    def fits(self, subject: Subject) -> bool:
        """Whether it can be carried out: one that needs the right answers cannot where there are no labels."""
        return subject.labeled or not self.labeled

    @abstractmethod
    def passes(self, subject: Subject) -> Passes:
        """About how many images will go through the network, forwards and backwards; time is estimated by it."""

    def lighter(self, subject: Subject, speed: Speed) -> "Part | None":
        """The same part with less to do, for an audit that has too little time; none where less would tell nothing.

        The next of `lightened` is halved. A part that can leave something out overrides it.
        """
        return halved(self, len(subject.split))

    def check(self, subject: Subject) -> None:  # noqa: B027, most have nothing to refuse
        """Refuse settings that make no sense for these images; asked before any part is carried out."""

    def announced(self) -> Sequence[Announced] | None:
        """The figures that it will find, as far as they are known beforehand; none where they are not."""
        return None

    def announced_of(self, subject: Subject) -> Sequence[Announced] | None:
        """The same once the network is at hand, so that the arguments that hang on it are known too."""
        return self.announced()

    @abstractmethod
    def carry_out(self, task: Task) -> Finding:
        """Look at the network, and say what is found: figures, verdicts and details."""


def check_counts(part: Part, least: int, *names: str) -> None:
    """Refuse numbers of images, neurons and the like below the least that a part can do with."""
    for name in names:
        if (count := getattr(part, name)) < least:
            raise ConfigError(f"{name} is {count}; give {least} or more")


_OF_IMAGES = ("n", "nearest", "repeated")  # of which there are no more than images
P = TypeVar("P", bound=Part)


def halved(part: P, images: int) -> P | None:
    """The part with half of the next setting that is above the least it may be lightened to."""
    for name, least in part.lightened:
        value = getattr(part, name)
        value = min(value, images) if name in _OF_IMAGES else value
        if value > least:
            lighter = {name: max(least, value // 2)}
            return cast("P", replace(cast("Any", part), **lighter))
    return None
