"""What the checks say, network beside network; those that failed anywhere come first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from pellucid.evaluate import Verdict
from pellucid.reports.page.numbers import plain
from pellucid.reports.page.read import Audit
from pellucid.reports.page.words import spoken


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
    """All verdicts of all parts, by check."""
    found = [
        {
            verdict.check: verdict
            for outcome in network.outcomes.values()
            if outcome.finding
            for verdict in outcome.finding.verdicts
        }
        for network in audit.networks
    ]
    names = dict.fromkeys(name for own in found for name in own)
    rows = [Check(spoken(name), tuple(own.get(name) for own in found)) for name in names]
    return sorted(rows, key=lambda row: not row.failed)


def evidence(verdict: Verdict) -> list[tuple[str, str]]:
    """The numbers behind a verdict, as they are written."""
    return [
        (spoken(name), plain(value) if isinstance(value, int | float) else str(value))  # from a file: it may be null
        for name, value in cast(Mapping[str, object], verdict.evidence).items()
    ]
