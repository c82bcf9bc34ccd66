"""What is on the page, in its order. Of parts it knows what their sections offer, and no kinds."""

from dataclasses import dataclass
from typing import Any, Literal

from pellucid.audits import Outcome
from pellucid.audits.section import template_of
from pellucid.page import Album, Chart, FigureTable, Network, spoken, tabled
from pellucid.reports.checks import Check, checks
from pellucid.reports.method import Method, method
from pellucid.reports.opening import Answer, answers
from pellucid.reports.read import Audit

ROOM = 9_000_000  # characters of pictures, which leaves the page below 10 MB


@dataclass(frozen=True)
class Gap:
    """What a part has not found of a network, and why."""

    part: str
    network: str
    reason: str
    failed: bool


@dataclass(frozen=True)
class ShownPart:
    """The section of a part: its figures, and what its template is about. The template is that of its kind.

    A heading that says no more than the part's name is `unseen` where no other part stands there in this way.
    """

    part: str
    place: Literal["figures", "pictures", "checks"]
    heading: str
    unseen: bool
    tabled: bool
    figures: FigureTable
    shown: Any
    template: str


@dataclass(frozen=True)
class Contents:
    """Everything that the page shows."""

    audit: Audit
    answers: tuple[Answer, ...]
    gaps: tuple[Gap, ...]
    checks: tuple[Check, ...]
    charts: tuple[Chart, ...]
    sections: tuple[ShownPart, ...]
    pictures: tuple[ShownPart, ...]
    leads: tuple[str, ...]
    method: Method
    left_out: int

    @classmethod
    def of(cls, audit: Audit, *, room: int = ROOM) -> "Contents":
        """Look at everything once; what stands among pictures has the first claim on the room for them."""
        album = Album(room)
        pictured = [part for part, section in audit.sections.items() if section.place == "pictures"]
        others = [part for part in audit.sections if part not in pictured]
        shown = {part: _shown(audit, part, album) for part in (*pictured, *others)}
        charts = [chart for part, own in audit.sections.items() for chart in own.charts(audit.found(part))]
        return cls(
            audit,
            answers(audit),
            tuple(_gaps(audit)),
            tuple(checks(audit)),
            tuple(sorted(charts, key=lambda chart: chart.diagonal)),
            tuple(shown[part] for part in audit.sections if _among_figures(audit, shown[part])),
            tuple(shown[part] for part in pictured),
            tuple(dict.fromkeys(audit.sections[part].lead for part in pictured if audit.sections[part].lead)),
            method(audit),
            album.left_out,
        )


def _shown(audit: Audit, part: str, album: Album) -> ShownPart:
    section, found, name = audit.sections[part], audit.found(part), spoken(part)
    alone = [type(other) for other in audit.sections.values()].count(type(section)) == 1
    heading = section.heading(name)
    return ShownPart(
        part,
        section.place,
        heading,
        alone and heading == name,
        section.tabled,
        tabled(audit.networks, found.figures),
        section.shown(found, album),
        str(template_of(section)),
    )


def _among_figures(audit: Audit, shown: ShownPart) -> bool:
    """Parts with a place of their own appear among the tables only where they have figures."""
    tried = any(shown.part in own for own in audit.outcomes)
    return bool(shown.figures.rows) or (tried and shown.place == "figures")


def _gaps(audit: Audit) -> list[Gap]:
    return [
        _gap(part, network, outcome)
        for part in audit.sections
        for network, own in zip(audit.networks, audit.outcomes, strict=True)
        if (outcome := own.get(part)) is None or outcome.finding is None
    ]


def _gap(part: str, network: Network, outcome: Outcome | None) -> Gap:
    if outcome is None:
        return Gap(part, network.name, "not done yet", False)
    if outcome.skipped:
        return Gap(part, network.name, outcome.failure, False)
    if outcome.damaged:
        return Gap(part, network.name, outcome.failure, True)
    return Gap(part, network.name, f"failed: {outcome.failure}", True)
