"""Robust accuracy by AutoAttack, whose figures can be compared with those of papers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from pellucid.attacks import AutoAttack
from pellucid.attacks.attack import check_budget
from pellucid.audits.finding import Finding
from pellucid.audits.part import Announced, Part, Task, check_counts
from pellucid.audits.robust.part import written
from pellucid.evaluate import measure
from pellucid.evaluate.explanations import Passes
from pellucid.norms import Linf
from pellucid.page.figure import Figure
from pellucid.papers import CROCE, cites
from pellucid.subjects import Subject

# forward passes of an image that stands to the end of the standard version: APGD, FAB and the queries of Square
_FORWARDS, _BACKWARDS = 8000, 1900


@cites(CROCE)
@final
@dataclass(frozen=True)
class AutoAttacked(Part):
    """The standard version at one budget of L-inf, on `n` images."""

    n: int = 100
    eps: float = 8 / 255

    weight = 4.0
    lightened = (("n", 32),)

    def __post_init__(self) -> None:
        check_counts(self, 1, "n")
        check_budget(self.eps, Linf(), "AutoAttacked")

    def passes(self, subject: Subject) -> Passes:
        """The passes that it takes, as if half of the images stood to the end."""
        images = min(self.n, len(subject.split))
        return Passes(images * _FORWARDS // 2, images * _BACKWARDS // 2)

    def announced(self) -> Sequence[Announced]:
        """The one figure that it will find, robust accuracy."""
        return [Announced("robust_accuracy", ("linf", written(self.eps), "auto-attack"))]

    def carry_out(self, task: Task) -> Finding:
        """Attack by all four parts."""
        record = measure(
            task.subject.model,
            task.some(self.n),
            AutoAttack(eps=self.eps),
            seed=task.seed,
            folder=task.place / "record",
            job=task.job(64, lambda step: f"AutoAttack: {step.words}"),
        )
        arguments = ("linf", written(self.eps), "auto-attack")
        return Finding((Figure("robust_accuracy", arguments, record.robust_accuracy(self.eps)),))
