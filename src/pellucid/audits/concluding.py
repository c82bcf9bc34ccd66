"""What an audit came to: its figures and verdicts, and all of it as plain values for another program."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pellucid.audits.folder import AuditFolder
from pellucid.audits.gating import Gate
from pellucid.audits.requirement import Shortfall
from pellucid.evaluate import Verdict
from pellucid.page import Figure, short_names
from pellucid.registry import Registry

# what is drawn of a folder stands a floor above, and is known here by its place
_REPORTS = Registry[Callable[[AuditFolder], Any]](
    "report", {"page": "pellucid.reports.draw:write_page", "tables": "pellucid.reports.figure_files:tables"}
)


@dataclass(frozen=True)
class Audited:
    """What an audit came to. All of it lies in `folder`, from which the page can be drawn again."""

    folder: AuditFolder
    page: Path
    gate: Gate = Gate()  # noqa: RUF009, a frozen value

    @property
    def figures(self) -> dict[str, dict[str, Figure]]:
        """The figures of each network by name: `audited.figures["plain"]["robust_accuracy(linf, 8/255)"]`."""
        found: dict[str, dict[str, Figure]] = {name: {} for name in self._names}
        for entry in self.folder.figures():
            figure = Figure.from_record(entry)
            found[self._names[entry["network"]]][str(figure)] = figure
        return found

    @property
    def verdicts(self) -> dict[str, tuple[Verdict, ...]]:
        """What the checks say of each network."""
        outcomes = ((name, self.folder.outcomes(number).values()) for number, name in enumerate(self._names))
        return {
            name: tuple(verdict for outcome in own if outcome.finding for verdict in outcome.finding.verdicts)
            for name, own in outcomes
        }

    def conclusion(self) -> dict[str, Any]:
        """The whole audit as plain values, with what became of requirements and where the page lies."""
        return {**conclusion(self.folder, self.gate), "page": str(self.page)}

    def __repr__(self) -> str:
        verdicts = self.verdicts
        lines = [f"Audited: {self.page}"]
        for name, figures in self.figures.items():
            lines.append(name)
            lines += [f"  {figure}: {found.estimate or found.note}" for figure, found in figures.items()]
            failed = [verdict.check for verdict in verdicts[name] if not verdict.passed]
            lines += [f"  checks that failed: {', '.join(failed)}"] if failed else []
        return "\n".join(lines)

    @property
    def _names(self) -> tuple[str, ...]:
        return short_names(self.folder.models)


def reported(folder: AuditFolder, found: Gate = Gate()) -> Audited:  # noqa: B008, a frozen value
    """What lies in a folder, with its page and its tables drawn again."""
    _REPORTS["tables"](folder)
    return Audited(folder, _REPORTS["page"](folder), found)


def conclusion(folder: AuditFolder, gate: Gate = Gate()) -> dict[str, Any]:  # noqa: B008
    """Every figure, verdicts that failed, parts that did, files that are damaged, and what became of requirements.

    These are in `requirements` where they do not hold, in `overruled` where they hold and a failed check was
    overruled, and in `unchecked` where they hold and nothing was checked.
    """
    about = folder.about
    outcomes = [
        (model, part, outcome)
        for number, model in enumerate(folder.models)
        for part, outcome in folder.outcomes(number).items()
    ]
    return {
        "path": str(folder.path),
        "models": list(folder.models),
        "untrained": list(folder.untrained),
        "data": about["data"],
        "figures": [dict(figure) for figure in folder.figures()],
        "verdicts": [
            {"model": model, "part": part, "verdict": asdict(verdict)}
            for model, part, outcome in outcomes
            for verdict in (outcome.finding.verdicts if outcome.finding else ())
            if not verdict.passed
        ],
        "damaged": folder.damaged(),
        "failures": [
            {"model": model, "part": part, "failure": outcome.failure, "skipped": outcome.skipped}
            for model, part, outcome in outcomes
            if outcome.finding is None
        ],
        "requirements": _plain(gate.short),
        "overruled": _plain(gate.overruled),
        "unchecked": _plain(gate.unchecked),
    }


def _plain(found: Sequence[Shortfall]) -> list[dict[str, str]]:
    return [{"model": one.model, "requirement": str(one.requirement), "found": one.found} for one in found]
