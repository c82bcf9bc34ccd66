"""What is on the page, in its order."""

from dataclasses import dataclass

from pellucid.audits import Outcome
from pellucid.reports.page.album import Album
from pellucid.reports.page.answers import Answer, answers
from pellucid.reports.page.class_maps import ClassMaps, class_maps
from pellucid.reports.page.curves import Chart, charts
from pellucid.reports.page.decisions import Decisions, decisions
from pellucid.reports.page.explainers import Explainers, explainers
from pellucid.reports.page.figure_table import FigureTable, figure_table
from pellucid.reports.page.gallery import Gallery, gallery
from pellucid.reports.page.method import Method, method
from pellucid.reports.page.neurons import Neurons, neurons
from pellucid.reports.page.read import Audit, Network
from pellucid.reports.page.verdicts import Check, checks

ROOM = 9_000_000  # characters of pictures, which leaves the page below 10 MB


@dataclass(frozen=True)
class Gap:
    """What a part has not found of a network, and why."""

    part: str
    network: str
    reason: str
    failed: bool


@dataclass(frozen=True)
class Section:
    """A part of the audit among the tables: its figures, and what its kind has besides."""

    part: str
    kind: str
    figures: FigureTable
    decisions: Decisions | None = None
    explainers: Explainers | None = None
    neurons: Neurons | None = None


@dataclass(frozen=True)
class Contents:
    """Everything that is shown."""

    audit: Audit
    answers: tuple[Answer, ...]
    gaps: tuple[Gap, ...]
    checks: tuple[Check, ...]
    charts: tuple[Chart, ...]
    sections: tuple[Section, ...]
    galleries: tuple[Gallery, ...]
    class_maps: tuple[ClassMaps, ...]
    method: Method
    left_out: int

    @classmethod
    def of(cls, audit: Audit, *, room: int = ROOM) -> "Contents":
        """Look at everything once; galleries have the first claim on the room for pictures."""
        album = Album(room)
        galleries = tuple(gallery(audit, part, album) for part in audit.of("gallery"))
        maps = tuple(class_maps(audit, part, album) for part in audit.of("class-maps"))
        sections = tuple(_section(audit, part, album) for part in audit.parts)
        return cls(
            audit,
            answers(audit),
            tuple(_gaps(audit)),
            tuple(checks(audit)),
            tuple(sorted(charts(audit), key=lambda chart: chart.diagonal)),
            tuple(section for section in sections if _shown(audit, section)),
            galleries,
            maps,
            method(audit),
            album.left_out,
        )


def _section(audit: Audit, part: str, album: Album) -> Section:
    kind, figures = audit.kind(part), figure_table(audit, part)
    match kind:
        case "decided":
            return Section(part, kind, figures, decisions=decisions(audit, part))
        case "explained":
            return Section(part, kind, figures, explainers=explainers(audit, part))
        case "neurons":
            return Section(part, kind, figures, neurons=neurons(audit, part, album))
        case _:
            return Section(part, kind, figures)


def _shown(audit: Audit, section: Section) -> bool:
    """Parts with a place of their own appear among the tables only where they have figures."""
    elsewhere = section.kind in ("checked", "gallery", "class-maps")
    tried = any(section.part in network.outcomes for network in audit.networks)
    return bool(section.figures.rows) or (tried and not elsewhere)


def _gaps(audit: Audit) -> list[Gap]:
    return [
        _gap(part, network, outcome)
        for part in audit.parts
        for network in audit.networks
        if (outcome := network.outcomes.get(part)) is None or outcome.finding is None
    ]


def _gap(part: str, network: Network, outcome: Outcome | None) -> Gap:
    if outcome is None:
        return Gap(part, network.name, "not done yet", False)
    if outcome.skipped:
        return Gap(part, network.name, outcome.failure, False)
    if outcome.damaged:
        return Gap(part, network.name, outcome.failure, True)
    return Gap(part, network.name, f"failed: {outcome.failure}", True)
