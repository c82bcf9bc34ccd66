"""What the network decides on the images as they are."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import final

from pellucid import evaluate
from pellucid.audits.figure import Figure
from pellucid.audits.part import Announced, Finding, Part, Task, check_counts
from pellucid.evaluate import Decisions
from pellucid.evaluate.explanations import Passes
from pellucid.metrics.calibration import reliability
from pellucid.subjects import Subject

_PAIRS = 10  # of classes that are mistaken for each other, those most often first


@final
@dataclass(frozen=True)
class Decided(Part):
    """Accuracy in all and by class, what is taken for what, and whether the network is as often right as it is sure.

    It looks at all images, or at `n` of them.
    """

    n: int = 0
    bins: int = 15

    def __post_init__(self) -> None:
        check_counts(self, 0, "n")
        check_counts(self, 1, "bins")

    def passes(self, subject: Subject) -> Passes:
        """One forward pass an image."""
        return Passes(min(self.n or len(subject.split), len(subject.split)), 0)

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

    def _details(self, found: Decisions, classes: tuple[str, ...]) -> dict[str, object]:
        by_class = [
            {"class": name, "accuracy": asdict(own)}
            if (own := found.accuracy_of(number))
            else {"class": name, "accuracy": None, "note": "no image of this class"}
            for number, name in enumerate(classes)
        ]
        confusion = found.confusion()
        wrong = confusion.clone().fill_diagonal_(0).flatten()
        most = [divmod(pair, len(classes)) for pair in wrong.topk(min(_PAIRS, len(wrong))).indices.tolist()]
        mistakes = [
            {"class": classes[row], "taken for": classes[column], "images": int(confusion[row, column])}
            for row, column in most
            if row != column and confusion[row, column] > 0
        ]
        curve = reliability(found.columns["confidence"], found.right, bins=self.bins)
        return {
            "classes": by_class,
            "mistakes": mistakes,
            # of a thousand classes nobody reads a million numbers
            "confusion": confusion.tolist() if len(classes) <= 100 else None,
            "reliability": [{"confidence": sure, **asdict(right)} for sure, right in curve],
        }
