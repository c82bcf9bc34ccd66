"""The share of a work that one process does, where several are given one share each."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from pellucid.errors import ConfigError, PartDone

T = TypeVar("T")

WHOLE = "1/1"


@dataclass(frozen=True)
class Part:
    """Every `of`-th chunk, from the chunk `number` on, which counts from 1."""

    number: int
    of: int

    @classmethod
    def named(cls, text: str) -> "Part":
        """The part that words such as 2/8 stand for: the second of eight."""
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        number, of = (int(found[1]), int(found[2])) if found else (0, 0)
        if not 1 <= number <= of:
            raise ConfigError(f"part is '{text}'; give one such as 2/8, the second of eight")
        return cls(number, of)

    @property
    def whole(self) -> bool:
        """Whether this is all of the work."""
        return self.of == 1

    def holds(self, chunk: int) -> bool:
        """Whether a chunk, counted from 0, belongs to it."""
        return chunk % self.of == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def all_of(works: Iterable[Callable[[], T]]) -> list[T]:
    """What each of several works comes to; where parts are missing of some, the others are done before it is said."""
    found, missing = list[T](), list[PartDone]()
    for work in works:
        try:
            found.append(work())
        except PartDone as error:
            missing.append(error)
    if missing:
        raise missing[0]
    return found
