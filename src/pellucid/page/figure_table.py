"""Figures in rows, networks in columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pellucid.page.figure import Figure
from pellucid.page.network import Network
from pellucid.page.numbers import ABSENT, Lack, Number
from pellucid.page.words import ARROWS, DIRECTIONS, called


@dataclass(frozen=True)
class Row:
    """A figure of every network; the notes are those of the numbers that there are."""

    label: str
    arrow: str
    direction: str
    numbers: tuple[Number | Lack, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class FigureTable:
    """The figures of a part."""

    rows: tuple[Row, ...]


def tabled(networks: Sequence[Network], figures: Sequence[Sequence[Figure]]) -> FigureTable:
    """A row of each figure that any network has, in the order in which they were found."""
    return FigureTable(tuple(_rows(networks, figures)))


def _rows(networks: Sequence[Network], figures: Sequence[Sequence[Figure]]) -> Iterator[Row]:
    found = [{str(figure): figure for figure in own} for own in figures]
    firsts = {name: figure for own in reversed(found) for name, figure in own.items()}
    for name in dict.fromkeys(name for own in found for name in own):
        figure = firsts[name]
        numbers = tuple(Number.of(own[name]) if name in own else ABSENT for own in found)
        several = len(networks) > 1
        notes = tuple(
            f"{network.letter}: {own[name].note}" if several else own[name].note
            for network, own in zip(networks, found, strict=True)
            if name in own and own[name].estimate and own[name].note
        )
        yield Row(called(figure), ARROWS[figure.better], DIRECTIONS[figure.better], numbers, notes)
