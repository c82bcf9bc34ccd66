"""How a long work is done, which changes nothing of what it comes to."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pellucid.errors import ConfigError
from pellucid.ledger.progress import Progress


def _unheard(step: Progress) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Job:
    """How a long work is done: how much at once, which share of it, and who hears how far it is.

    `batch` images are worked on at once, or as many as suit the work: memory grows with them, not with the number of
    all images. Where even these are too many, they are halved. `part` is which share of the work this process does,
    such as 2/8, the second of eight, where several work in one folder. `watch` is told a `Progress` after each chunk.

    >>> Job(batch=32, part="2/8")
    Job(batch=32, part='2/8')
    """

    batch: int | None = None
    part: str = "1/1"
    watch: Callable[[Progress], None] = field(default=_unheard, repr=False)

    def __post_init__(self) -> None:
        number, of = self._share
        if not 1 <= number <= of:
            raise ConfigError(f"part is '{self.part}'; give one such as 2/8, the second of eight")
        if self.batch is not None and self.batch < 1:
            raise ConfigError(f"batch is {self.batch}; work on 1 or more at once")

    @property
    def whole(self) -> bool:
        """Whether this process does all of the work."""
        return self._share[1] == 1

    def holds(self, chunk: int) -> bool:
        """Whether a chunk, counted from 0, belongs to the part."""
        number, of = self._share
        return chunk % of == number - 1

    def called(self, name: str) -> "Job":
        """The same, where `watch` is told this name of what is done."""
        return Job(self.batch, self.part, lambda step: self.watch(replace(step, doing=name)))

    @property
    def _share(self) -> tuple[int, int]:
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", self.part)
        return (int(found[1]), int(found[2])) if found else (0, 0)
