"""A network as a page speaks of it: by a letter and a name that fits over a column."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_FINGERPRINT = re.compile(r"(?<=.)-[0-9a-f]{12}$")


@dataclass(frozen=True)
class Network:
    """A network of an audit: its number, a short name and the one it was given, and the folder of its pictures."""

    number: int
    name: str
    given: str
    fingerprint: str
    root: Path
    untrained: bool = False

    @property
    def letter(self) -> str:
        """What it is called where there is no room for its name."""
        return letter(self.number)


def short_names(names: Sequence[str]) -> tuple[str, ...]:
    """The last part of each path, of a run's folder without its fingerprint; longer where two would be alike.

    >>> short_names(["runs/standard-digits-mlp-0123456789ab", "lenet"])
    ('standard-digits-mlp', 'lenet')
    >>> short_names(["mine/net.pt2", "yours/net.pt2", "lenet", "lenet"])
    ('mine/net.pt2', 'yours/net.pt2', 'lenet', 'lenet (2)')
    """
    longer = [_from_short_to_long(name) for name in names]
    lengths = [0] * len(names)
    while True:
        found = [own[length] for own, length in zip(longer, lengths, strict=True)]
        counts = Counter(found)
        alike = [n for n, name in enumerate(found) if counts[name] > 1 and lengths[n] < len(longer[n]) - 1]
        if not alike:
            break
        for number in alike:
            lengths[number] += 1
    again = [found[:number].count(name) for number, name in enumerate(found)]
    return tuple(f"{name} ({count + 1})" if count else name for name, count in zip(found, again, strict=True))


def letter(number: int) -> str:
    """What a network is called where there is no room for its name.

    >>> letter(0), letter(25), letter(26)
    ('A', 'Z', '27')
    """
    return chr(ord("A") + number) if number < 26 else str(number + 1)


def _from_short_to_long(name: str) -> list[str]:
    parts = [part for part in re.split(r"[/\\]", name) if part]
    tails = ["/".join(parts[place:]) for place in range(len(parts) - 1, 0, -1)]
    return list(dict.fromkeys([_FINGERPRINT.sub("", tail) for tail in tails[:1] or [name]] + [*tails, name]))
