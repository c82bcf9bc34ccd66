"""How many checks failed, for the top of the page; what they say stands with the checks of all parts."""

from collections.abc import Iterator
from typing import Any, final

from pellucid.audits.finding import Finding
from pellucid.audits.section import Headline, Section


@final
class Doubts(Section[Any]):
    """Whether any check gives a reason to doubt figures under attack."""

    place = "checks"
    answers = ("checks",)

    def headlines(self, finding: Finding) -> Iterator[Headline]:
        """The number of checks that failed."""
        made = len(finding.verdicts)
        failed = sum(not verdict.passed for verdict in finding.verdicts)
        if failed:
            yield Headline("checks", f"{failed} of {made} checks failed, so figures under attack may be too good")
        elif made:
            yield Headline("checks", f"all {made} checks passed" if made > 1 else "the one check passed")
