"""What an audit came to, as plain values for a terminal or another program."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pellucid.audits.folder import AuditFolder
from pellucid.audits.gating import Gate
from pellucid.audits.requirement import Shortfall


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
