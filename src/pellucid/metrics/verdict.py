"""What a check says."""

from collections.abc import Mapping
from dataclasses import dataclass

from pellucid.plain import Endless


@dataclass(frozen=True)
class Verdict:
    """Whether one reason not to believe a robustness figure was found.

    `finding` says in a sentence what was seen, `evidence` holds the numbers behind it, `remedy` what to do about a
    failure (empty where the check passed).
    """

    check: str
    passed: bool
    finding: str
    evidence: Mapping[str, Endless]
    remedy: str

    def __post_init__(self) -> None:
        if self.passed:
            object.__setattr__(self, "remedy", "")
