"""Explainers in rows, metrics in columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from pellucid.audits.explained.details import Details, OfMetric
from pellucid.audits.finding import Finding
from pellucid.audits.section import Found, Headline, Section
from pellucid.page.album import Album
from pellucid.page.figure import Figure
from pellucid.page.network import Network
from pellucid.page.numbers import ABSENT, Lack, Number, plain
from pellucid.page.words import ARROWS, DIRECTIONS, spoken

# metrics of explanations that say whether a map stays as it is, the harder first
_STEADY = {
    "adversarial-similarity": "when the image is attacked",
    "random-similarity": "under a little noise",
}


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
class Shown:
    """How explainers do by several metrics; `images` is over how many, in words."""

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    images: str


@final
class Explainers(Section[Details]):
    """A table of explainers by metrics instead of one of figures."""

    details = Details
    tabled = False
    answers = ("explanations",)

    def shown(self, found: Found[Details], album: Album) -> Shown | None:
        """Explainer by explainer, each network under the other so that they can be compared and sorted together."""
        figures = [{(f.name, ", ".join(f.arguments)): f for f in own} for own in found.figures]
        metrics = {metric: figure for own in figures for (metric, _), figure in own.items()}
        names = dict.fromkeys(explainer for own in figures for _, explainer in own)
        lines = [
            Line(
                name,
                network,
                tuple(Number.of(own[metric, name]) if (metric, name) in own else ABSENT for metric in metrics),
            )
            for name in names
            for network, own in zip(found.networks, figures, strict=True)
            if any((metric, name) in own for metric in metrics)
        ]
        columns = tuple(_column(found, name, figure) for name, figure in metrics.items())
        counts = sorted({number.n for line in lines for number in line.numbers if isinstance(number, Number)})
        images = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}" if counts else ""
        return Shown(columns, tuple(lines), tuple(_notes(found)), images) if lines else None

    def headlines(self, finding: Finding) -> Iterator[Headline]:
        """How steady maps are: the least and the most among explainers, and the one in the middle as a figure."""
        for metric, when in _STEADY.items():
            steady = [figure for figure in finding.figures if figure.name == metric and figure.estimate]
            if steady:
                yield _steadiness(metric, when, sorted(steady, key=_value))
                return


def _steadiness(metric: str, when: str, steady: list[Figure]) -> Headline:
    least, most = plain(_value(steady[0])), plain(_value(steady[-1]))
    likeness = least if least == most else f"{least} to {most}"
    makers = "one explainer" if len(steady) == 1 else f"{len(steady)} explainers"
    middle = steady[len(steady) // 2]
    of = f" of {len(steady)} explainers, the median: {', '.join(middle.arguments)}" if len(steady) > 1 else ""
    clause = f"maps of {makers} keep a likeness of {likeness} {when}"
    return Headline("explanations", clause, middle, f"{spoken(metric)}{of}", rank=-list(_STEADY).index(metric))


def _value(figure: Figure) -> float:
    return figure.estimate.value if figure.estimate else 0.0


def _notes(found: Found[Details]) -> Iterator[str]:
    """What a reader of the numbers has to know; metrics that share it share a line."""
    several = len(found.networks) > 1
    for network, finding in zip(found.networks, found.findings, strict=True):
        shared: dict[tuple[str, str], list[str]] = {}
        for figure in finding.figures if finding else ():
            if figure.estimate and figure.note:
                shared.setdefault((", ".join(figure.arguments), figure.note), []).append(spoken(figure.name))
        for (explainer, note), metrics in shared.items():
            yield f"{explainer}{f', {network.letter}' if several else ''} by {', '.join(metrics)}: {note}"
        for explainer, lines in finding.details.known.items() if finding else ():
            for line in lines:
                yield f"{explainer}{f', {network.letter}' if several else ''}, {line}"


def _column(found: Found[Details], name: str, figure: Figure) -> Column:
    about = next((own.metrics[name] for _, own in found.details if name in own.metrics), OfMetric())
    bounds = ""
    if about.low is not None:
        bounds = (
            f"{plain(about.low)} to {plain(about.high)}" if about.high is not None else f"from {plain(about.low)}"
        )
    elif about.high is not None:
        bounds = f"up to {plain(about.high)}"
    return Column(spoken(name), ARROWS[figure.better], DIRECTIONS[figure.better], bounds, about.cost)
