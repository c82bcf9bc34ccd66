"""What AutoAttack's figure says at the top of the page, where it stands before those of other attacks."""

from collections.abc import Iterator
from typing import Any, final

from pellucid.audits.finding import Finding
from pellucid.audits.robust.section import is_headline, under_attack
from pellucid.audits.section import Headline, Section


@final
class Comparable(Section[Any]):
    """Robust accuracy that can be compared with that of papers."""

    answers = ("robustness",)

    def headlines(self, finding: Finding) -> Iterator[Headline]:
        """The figure, before any that other parts have of robustness."""
        for figure in finding.figures:
            if is_headline(figure):
                yield Headline("robustness", under_attack("AutoAttack", figure), figure, rank=1)
