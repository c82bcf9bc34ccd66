"""What the checks say, network beside network; those that failed anywhere come first."""

from collections.abc import Sequence
from dataclasses import dataclass

from pellucid.metrics.verdict import Verdict
from pellucid.page.numbers import plain
from pellucid.page.words import spoken
from pellucid.reports.read import Audit


@dataclass(frozen=True)
class Check:
    """A check: of each network its verdict, or none."""

    name: str
    verdicts: tuple[Verdict | None, ...]

    @property
    def failed(self) -> bool:
        """Whether any network failed it."""
        return any(verdict and not verdict.passed for verdict in self.verdicts)


def checks(audit: Audit) -> Sequence[Check]:
    """The verdicts of all parts, by check."""
    found = [
        {
            verdict.check: verdict
            for outcome in own.values()
            if outcome.finding
            for verdict in outcome.finding.verdicts
        }
        for own in audit.outcomes
    ]
    names = dict.fromkeys(name for own in found for name in own)
    rows = [Check(spoken(name), tuple(own.get(name) for own in found)) for name in names]
    return sorted(rows, key=lambda row: not row.failed)


def evidence(verdict: Verdict) -> list[tuple[str, str]]:
    """The numbers behind a verdict, as they are written."""
    return [(spoken(name), plain(value)) for name, value in verdict.evidence.items()]
