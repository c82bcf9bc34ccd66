"""What a network decides: accuracy by class, what is taken for what, and which images are which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pellucid.metrics import Estimate
from pellucid.reports.page.numbers import ABSENT, Lack, Number
from pellucid.reports.page.read import Audit, Network

Pairs = Mapping[tuple[str, str], int]

_LARGEST = 25  # classes of a confusion matrix that a person still reads


@dataclass(frozen=True)
class ClassRow:
    """A class, and how often each network is right about it."""

    name: str
    numbers: tuple[Number | Lack, ...]


@dataclass(frozen=True)
class Mistake:
    """A class that is taken for another, by each network for how many images; none where others are more frequent."""

    name: str
    taken_for: str
    images: tuple[int | None, ...]


@dataclass(frozen=True)
class Cell:
    """So many images of a class are taken for another, and how many in a hundred of that class they are."""

    images: int
    percent: int


@dataclass(frozen=True)
class Confusion:
    """What a network takes the images of each class (a row) for (a column)."""

    network: Network
    classes: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def tall(self) -> bool:
        """Whether names over columns have to be turned on their side."""
        return max(map(len, self.classes)) > 2


@dataclass(frozen=True)
class Decisions:
    """The tables of a part that looked at all images."""

    part: str
    classes: tuple[ClassRow, ...]
    mistakes: tuple[Mistake, ...]
    confusions: tuple[Confusion, ...]


def decisions(audit: Audit, part: str) -> Decisions:
    """All of them, network beside network."""
    details = [network.details(part) for network in audit.networks]
    confusions = [
        _confusion(network, own)
        for network, own in zip(audit.networks, details, strict=True)
        if own.get("confusion") and len(own["confusion"]) <= _LARGEST
    ]
    return Decisions(part, tuple(_classes(details)), tuple(_mistakes(details)), tuple(confusions))


def _classes(details: Sequence[Mapping[str, Any]]) -> list[ClassRow]:
    # names may repeat, so classes are told apart by their place
    most = max((len(own.get("classes", ())) for own in details), default=0)
    rows: list[ClassRow] = []
    for place in range(most):
        own = [entry["classes"][place] if place < len(entry.get("classes", ())) else None for entry in details]
        name = next(str(entry["class"]) for entry in own if entry)
        rows.append(ClassRow(name, tuple(map(_accuracy, own))))
    return rows


def _accuracy(entry: Mapping[str, Any] | None) -> Number | Lack:
    if entry is None:
        return ABSENT
    found = entry["accuracy"]
    return Number.written(Estimate.from_record(found), share=True) if found else Lack(entry["note"])


def _mistakes(details: Sequence[Mapping[str, Any]]) -> list[Mistake]:
    pairs = dict.fromkeys(pair for own in details for pair in _most(own))
    counts = [_all(own) or _most(own) for own in details]
    rows = [Mistake(pair[0], pair[1], tuple(own.get(pair) for own in counts)) for pair in pairs]
    return sorted(rows, key=lambda row: -max(images or 0 for images in row.images))


def _most(details: Mapping[str, Any]) -> Pairs:
    """The mistakes that are made most often."""
    mistakes = details.get("mistakes", ())
    return {(str(one["class"]), str(one["taken for"])): int(one["images"]) for one in mistakes}


def _all(details: Mapping[str, Any]) -> Pairs:
    """Every pair of classes; none where there are too many, or where two have one name."""
    confusion, names = details.get("confusion"), [str(entry["class"]) for entry in details.get("classes", ())]
    if not confusion or len(set(names)) < len(names):
        return {}
    return {(names[row], names[column]): n for row, own in enumerate(confusion) for column, n in enumerate(own)}


def _confusion(network: Network, details: Mapping[str, Any]) -> Confusion:
    names = tuple(str(entry["class"]) for entry in details["classes"])
    rows = tuple(
        tuple(Cell(images, round(100 * images / max(sum(row), 1))) for images in row) for row in details["confusion"]
    )
    return Confusion(network, names, rows)
