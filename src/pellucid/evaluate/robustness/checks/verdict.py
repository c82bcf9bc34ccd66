"""What a check says."""

from pellucid.metrics.verdict import Verdict

__all__ = ["Verdict"]
