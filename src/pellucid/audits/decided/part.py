"""What the network decides on the images as they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

from pellucid import evaluate
from pellucid.audits.decided.details import Bin, Confused, Details, OfClass
from pellucid.audits.finding import Finding
from pellucid.audits.part import Announced, Part, Task, check_counts
from pellucid.evaluate import Decisions
from pellucid.evaluate.explanations import Passes
from pellucid.evaluate.speed import Speed
from pellucid.metrics.calibration import reliability
from pellucid.page.figure import Figure
from pellucid.papers import cites
from pellucid.subjects import Subject

_LEAST = 1000  # images on which accuracy is known to three points or so
_PAIRS = 10  # of classes that are mistaken for each other, those most often first


@cites()
@final
@dataclass(frozen=True)
class Decided(Part):
    """Accuracy in all and by class, what is taken for what, and whether the network is as often right as it is sure.

    It looks at all images, or at `n` of them.
    """

    n: int = 0
    bins: int = 15

    weight = 2.0

    def __post_init__(self) -> None:
        check_counts(self, 0, "n")
        check_counts(self, 1, "bins")

    def passes(self, subject: Subject) -> Passes:
        """One forward pass an image."""
        return Passes(min(self.n or len(subject.split), len(subject.split)), 0)

    def lighter(self, subject: Subject, speed: Speed) -> "Decided | None":
        """On half as many images."""
        images = min(self.n or len(subject.split), len(subject.split))
        return replace(self, n=max(_LEAST, images // 2)) if images > _LEAST else None

    def announced(self) -> Sequence[Announced]:
        """Three, whatever the network is."""
        return [Announced("accuracy"), Announced("loss"), Announced("calibration_error")]

    def carry_out(self, task: Task) -> Finding:
        """Look once at every image."""
        split = task.some(self.n) if self.n else task.subject.split
        found = evaluate.decide(task.subject.model, split)
        found.save(task.place / "decisions.npz")
        figures = (
            Figure("accuracy", (), found.accuracy),
            Figure("loss", (), found.loss, "lower"),
            Figure("calibration_error", (), found.calibration_error(bins=self.bins), "lower"),
        )
        return Finding(figures, details=self._details(found, split.classes))

    def _details(self, found: Decisions, classes: tuple[str, ...]) -> Details:
        by_class = [
            OfClass(name, own)
            if (own := found.accuracy_of(number))
            else OfClass(name, None, "no image of this class")
            for number, name in enumerate(classes)
        ]
        confusion = found.confusion()
        wrong = confusion.clone().fill_diagonal_(0).flatten()
        most = [divmod(pair, len(classes)) for pair in wrong.topk(min(_PAIRS, len(wrong))).indices.tolist()]
        mistakes = [
            Confused(classes[row], classes[column], int(confusion[row, column]))
            for row, column in most
            if row != column and confusion[row, column] > 0
        ]
        curve = reliability(found.columns["confidence"], found.right, bins=self.bins)
        return Details(
            tuple(by_class),
            tuple(mistakes),
            # of a thousand classes nobody reads a million numbers
            tuple(map(tuple, confusion.tolist())) if len(classes) <= 100 else (),
            tuple(Bin(sure, right.value, right.low, right.high, right.n) for sure, right in curve),
        )
