"""What a check is."""

from collections.abc import Callable

from pellucid.evaluate.robustness.checks.case import Case
from pellucid.metrics.verdict import Verdict

Check = Callable[[Case], Verdict | None]
"""None is the verdict where a check does not apply."""
