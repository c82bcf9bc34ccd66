"""The page of a study: its claims first, then the figures that they rest on."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from pellucid.files import write_text
from pellucid.metrics.estimates import Estimate
from pellucid.page.numbers import ABSENT, Lack, Number
from pellucid.page.strip import Strip, span
from pellucid.reports.draw import environment, own
from pellucid.studies import Place, Result, Told
from pellucid.version import __version__

_ORDER = ("holds", "does not hold", "cannot be told")
_ARROWS = {"higher": "\N{UPWARDS ARROW}", "lower": "\N{DOWNWARDS ARROW}", "neither": ""}


@dataclass(frozen=True)
class ShownClaim:
    """A claim as the page shows it."""

    told: Told
    number: Number | None
    strip: Markup
    sides: str


@dataclass(frozen=True)
class ShownRow:
    """A figure of a row: the mean over seeds, and every seed."""

    name: str
    number: Number | Lack
    strip: Markup


@dataclass(frozen=True)
class ShownFigure:
    """A figure of all rows."""

    name: str
    arrow: str
    better: str
    rows: tuple[ShownRow, ...]
    varies: bool


def write_study(result: Result) -> Path:
    """Write the page of a study beside what it is drawn from: one file that needs nothing else."""
    path = result.path / "report.html"
    write_text(path, study_page(result))
    return path


def study_page(result: Result) -> str:
    """The page of a study."""
    script = own("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    claims = [_claim(one) for one in result.told]
    counts = {outcome: sum(one.outcome == outcome for one in result.told) for outcome in _ORDER}
    return (
        environment()
        .get_template("study.html.j2")
        .render(
            result=result,
            study=result.study,
            claims=claims,
            counts=counts,
            figures=[_figure(result, name) for name in result.figures],
            settings={row: _leaves(table) for row, table in result.settings.items()},
            version=__version__,
            style=Markup(own("page.css") + own("study.css")),
            script=Markup(script),
            policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:",
        )
    )


def _claim(told: Told) -> ShownClaim:
    claim, sign = told.claim, 1 if told.claim.direction == "more" else -1
    values = tuple(sign * (pair.first - pair.second) for pair in told.pairs)
    low, high = span(values, around=claim.margin)
    sides = f"{_side(claim.first)}, less {_side(claim.second) or f'{claim.than:g}'}"
    if sign < 0:
        sides = f"{_side(claim.second) or f'{claim.than:g}'}, less {_side(claim.first)}"
    says = f"{told.outcome}: differences of {len(values)} seeds {', '.join(f'{value:.4g}' for value in values)}"
    strip = Strip(values, low, high, says, told.difference, claim.margin).drawn()
    return ShownClaim(told, None if told.difference is None else _number(told.difference), strip, sides)


def _side(places: tuple[Place, ...]) -> str:
    """One side of a comparison in words."""
    if len(places) < 2:
        return "".join(map(str, places))
    rows = dict.fromkeys(place.row for place in places)
    if len(rows) > 1:
        return f"the mean of {', '.join(map(str, places))}"
    return f"the mean of {', '.join(place.figure for place in places)} of {next(iter(rows))}"


def _number(estimate: Estimate) -> Number:
    return Number.written(estimate, share=False)


def _figure(result: Result, name: str) -> ShownFigure:
    column = result.study.columns[name.partition("/")[0]]
    own = {row.name: _values(result, Place(row.name, name)) for row in result.study.rows}
    low, high = (0.0, 1.0) if column.share else span([value for values in own.values() for value in values])
    rows = tuple(_row(result, row, name, values, low, high, share=column.share) for row, values in own.items())
    return ShownFigure(name, _ARROWS[column.better], column.better, rows, column.varies)


def _row(
    result: Result, row: str, name: str, values: tuple[float, ...], low: float, high: float, *, share: bool
) -> ShownRow:
    estimate = result.over_seeds(Place(row, name))
    says = f"{name} of {row}: {', '.join(f'{value:.4g}' for value in values) or 'not measured'}"
    strip = Strip(values, low, high, says, estimate).drawn()
    return ShownRow(row, ABSENT if estimate is None else Number.written(estimate, share=share), strip)


def _values(result: Result, place: Place) -> tuple[float, ...]:
    return tuple(found[place] for _, found in sorted(result.values.items()) if place in found)


def _leaves(table: object, path: str = "") -> list[tuple[str, str]]:
    """The settings of a row, each by its path."""
    if isinstance(table, dict):
        return [leaf for name, one in table.items() for leaf in _leaves(one, f"{path}.{name}" if path else str(name))]
    return [(path, str(table))]
