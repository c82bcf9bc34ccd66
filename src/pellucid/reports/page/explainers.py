"""Explainers in rows, metrics in columns."""

from collections.abc import Iterator
from dataclasses import dataclass

from pellucid.audits import Figure
from pellucid.reports.page.numbers import ABSENT, Lack, Number, plain
from pellucid.reports.page.read import Audit, Network
from pellucid.reports.page.words import ARROWS, DIRECTIONS, spoken


@dataclass(frozen=True)
class Column:
    """A metric: which end is the good one, between what it lies, and what it costs."""

    name: str
    arrow: str
    direction: str
    bounds: str
    cost: str


@dataclass(frozen=True)
class Line:
    """An explainer of a network, with a number for each metric."""

    explainer: str
    network: Network
    numbers: tuple[Number | Lack, ...]


@dataclass(frozen=True)
class Explainers:
    """How explainers do by several metrics; `images` is over how many, in words."""

    part: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    images: str


def explainers(audit: Audit, part: str) -> Explainers:
    """Explainer by explainer, each network under the other so that they can be compared and sorted together."""
    found = [{(f.name, ", ".join(f.arguments)): f for f in network.figures(part)} for network in audit.networks]
    metrics = {metric: figure for own in found for (metric, _), figure in own.items()}
    names = dict.fromkeys(explainer for own in found for _, explainer in own)
    lines = [
        Line(
            name,
            network,
            tuple(Number.of(own[metric, name]) if (metric, name) in own else ABSENT for metric in metrics),
        )
        for name in names
        for network, own in zip(audit.networks, found, strict=True)
        if any((metric, name) in own for metric in metrics)
    ]
    columns = tuple(_column(audit, part, name, figure) for name, figure in metrics.items())
    counts = sorted({number.n for line in lines for number in line.numbers if isinstance(number, Number)})
    images = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}" if counts else ""
    return Explainers(part, columns, tuple(lines), tuple(_notes(audit, part)), images)


def _notes(audit: Audit, part: str) -> Iterator[str]:
    """What a reader of the numbers has to know; metrics that share it share a line."""
    several = len(audit.networks) > 1
    for network in audit.networks:
        shared: dict[tuple[str, str], list[str]] = {}
        for figure in network.figures(part):
            if figure.estimate and figure.note:
                shared.setdefault((", ".join(figure.arguments), figure.note), []).append(spoken(figure.name))
        for (explainer, note), metrics in shared.items():
            yield f"{explainer}{f', {network.letter}' if several else ''} by {', '.join(metrics)}: {note}"
        for explainer, lines in (network.details(part).get("known") or {}).items():
            for line in lines:
                yield f"{explainer}{f', {network.letter}' if several else ''}, {line}"


def _column(audit: Audit, part: str, name: str, figure: Figure) -> Column:
    about = next((own[name] for n in audit.networks if name in (own := n.details(part).get("metrics", {}))), {})
    low, high = about.get("low"), about.get("high")
    bounds = ""
    if low is not None:
        bounds = f"{plain(low)} to {plain(high)}" if high is not None else f"from {plain(low)}"
    elif high is not None:
        bounds = f"up to {plain(high)}"
    cost = str(about.get("cost", ""))
    return Column(spoken(name), ARROWS[figure.better], DIRECTIONS[figure.better], bounds, cost)
