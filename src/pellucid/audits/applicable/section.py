"""Which explainers apply to each network, as a table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from pellucid.audits.applicable.details import Details, OfExplainer
from pellucid.audits.section import Found, Section
from pellucid.durations import measured_time
from pellucid.page.album import Album


@dataclass(frozen=True)
class Cell:
    """What is said of an explainer and a network; `seconds` is what tables are sorted by."""

    applies: bool
    text: str
    small: tuple[str, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True)
class Row:
    """An explainer, and what is said of it for each network; none where it was not tried."""

    name: str
    cells: tuple[Cell | None, ...]


@final
class ApplicableSection(Section[Details]):
    """A table of explainers, network beside network."""

    details = Details

    def shown(self, found: Found[Details], album: Album) -> Sequence[Row] | None:
        """A row for each explainer that was tried."""
        own = [{one.name: one for one in finding.details.explainers} if finding else {} for finding in found.findings]
        names = dict.fromkeys(name for explainers in own for name in explainers)
        rows = [Row(name, tuple(_cell(explainers.get(name)) for explainers in own)) for name in names]
        return rows or None


def _cell(one: OfExplainer | None) -> Cell | None:
    if one is None:
        return None
    if one.why:
        return Cell(False, "does not apply", (one.why,))
    return Cell(True, ", ".join(_takes(one)), (*one.goes_by, *one.notes), one.seconds)


def _takes(one: OfExplainer) -> Iterator[str]:
    yield "applies" if one.seconds is None else measured_time(one.seconds)
    if one.forwards is not None and one.backwards is not None:
        yield f"{one.forwards:,} + {one.backwards:,} passes"
