"""Which explainers apply to the network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch

from pellucid.audits.applicable.details import Details, OfExplainer
from pellucid.audits.finding import Finding
from pellucid.audits.part import Announced, Part, Task, check_counts
from pellucid.evaluate.explanations import Passes
from pellucid.evaluate.foreseen import passes_to_explain
from pellucid.explainers import EXPLAINERS, named
from pellucid.papers import cites
from pellucid.subjects import Applicability, Subject, applicability


@cites()
@final
@dataclass(frozen=True)
class Applicable(Part):
    """Every listed explainer tried on an image: whether it applies, by what it goes, and what a map takes.

    Each is stopped when `enough` images have gone through the network.
    """

    enough: int = 8

    labeled = False

    def __post_init__(self) -> None:
        check_counts(self, 1, "enough")

    def passes(self, subject: Subject) -> Passes:
        """As many as each explainer takes, or as are enough; they may be made twice, to be timed."""
        x, classes = torch.zeros(1, *subject.split.shape), len(subject.split.classes)
        foretold = (passes_to_explain(named(name), x, classes) for name in EXPLAINERS)
        counts = [passes.forwards if passes else self.enough for passes in foretold]
        rows = sum(min(2 * count, self.enough) for count in counts)
        return Passes(rows, rows)

    def announced(self) -> Sequence[Announced]:
        """No figures."""
        return []

    def carry_out(self, task: Task) -> Finding:
        """Try them all on the first image."""
        found = applicability(
            task.subject.model,
            task.batch(1).x,
            train=task.subject.train,
            seed=task.seed,
            enough=self.enough,
            watch=lambda step: task.watch(step.done, step.total, step.words),
        )
        return Finding(details=Details(tuple(map(_as_saved, found))))


def _as_saved(found: Applicability) -> OfExplainer:
    return OfExplainer(
        found.explainer,
        found.why,
        tuple(filter(None, (found.reads, *found.settings))),
        found.notes,
        None if found.passes is None else found.passes.forwards,
        None if found.passes is None else found.passes.backwards,
        found.seconds,
    )
