"""What a part of an audit found."""

from dataclasses import dataclass, field
from typing import Any

from pellucid.metrics.verdict import Verdict
from pellucid.page.figure import Figure


@dataclass(frozen=True)
class Finding:
    """Figures, verdicts, and details that the part's section of the page shows beside them.

    Details are of the class that the section names, a frozen dataclass of plain values; of a part without a section
    they are a table.
    """

    figures: tuple[Figure, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    details: Any = field(default_factory=dict[str, Any])
