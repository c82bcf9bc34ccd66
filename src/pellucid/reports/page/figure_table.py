"""Figures in rows, networks in columns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pellucid.audits import Figure
from pellucid.reports.page.numbers import ABSENT, Lack, Number
from pellucid.reports.page.read import Audit
from pellucid.reports.page.words import ARROWS, DIRECTIONS, called


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

    part: str
    rows: tuple[Row, ...]


def figure_table(audit: Audit, part: str) -> FigureTable:
    """Every figure that the part found of any network."""
    return FigureTable(part, tuple(rows(audit, [{str(f): f for f in n.figures(part)} for n in audit.networks])))


def rows(audit: Audit, found: Sequence[Mapping[str, Figure]]) -> Iterable[Row]:
    """A row of each figure that any network has, in the order in which they were found."""
    firsts = {name: figure for own in reversed(found) for name, figure in own.items()}
    for name in dict.fromkeys(name for own in found for name in own):
        figure = firsts[name]
        numbers = tuple(Number.of(own[name]) if name in own else ABSENT for own in found)
        several = len(audit.networks) > 1
        notes = tuple(
            f"{network.letter}: {own[name].note}" if several else own[name].note
            for network, own in zip(audit.networks, found, strict=True)
            if name in own and own[name].estimate and own[name].note
        )
        yield Row(called(figure), ARROWS[figure.better], DIRECTIONS[figure.better], numbers, notes)
