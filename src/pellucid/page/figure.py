"""A number that an audit found, with its name, its interval and which end of it is the good one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pellucid import plain
from pellucid.metrics.estimates import Estimate

Better = Literal["higher", "lower", "neither"]


@dataclass(frozen=True)
class Figure:
    """`robust_accuracy(linf, 8/255)`: a name and what it is of. `estimate` is none where there is no such number.

    `note` says what a reader of the number has to know, such as how many images are left out of it; where there is
    no number, why there is none.
    """

    name: str
    arguments: tuple[str, ...]
    estimate: Estimate | None
    better: Better = "higher"
    note: str = ""

    def __post_init__(self) -> None:
        if self.estimate is None and not self.note:
            object.__setattr__(self, "note", "no image has a value")

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.arguments)})" if self.arguments else self.name

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Figure":
        """The figure that a row of `AuditFolder.figures` holds."""
        return plain.build(cls, record)
