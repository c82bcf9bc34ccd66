"""What an audit came to, as plain values for a terminal or another program."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pellucid.audit.folder import AuditFolder
from pellucid.audit.requirement import Requirement, shortfalls


def conclusion(folder: AuditFolder, requirements: Sequence[Requirement] = ()) -> dict[str, Any]:
    """Every figure, verdicts that failed, parts that did, files that are damaged, requirements that do not hold."""
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
        "requirements": [
            {"model": short.model, "requirement": str(short.requirement), "found": short.found}
            for short in shortfalls(requirements, folder.figures(), folder.models)
        ],
    }
