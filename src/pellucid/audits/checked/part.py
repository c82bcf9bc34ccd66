"""Whether the figures of robustness can be believed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from pellucid.attacks.attack import check_budget
from pellucid.audits.finding import Finding
from pellucid.audits.part import Announced, Part, Task, check_counts
from pellucid.audits.searches import blindly, bounded, without_slopes
from pellucid.evaluate import verdicts
from pellucid.evaluate.explanations import Passes
from pellucid.norms import Linf
from pellucid.papers import cites
from pellucid.subjects import Subject


@cites()
@final
@dataclass(frozen=True)
class Checked(Part):
    """Every listed check of the network, its images and the attack behind its figures, on `n` images."""

    n: int = 32
    eps: float = 8 / 255
    steps: int = 20

    weight = 2.0
    lightened = (("n", 8), ("steps", 10), ("n", 4))

    def __post_init__(self) -> None:
        check_counts(self, 1, "n", "steps")
        check_budget(self.eps, Linf(), "Checked")

    def passes(self, subject: Subject) -> Passes:
        """As counted on images that stand an attack and on those that fall at once."""
        rows, standing = min(self.n, len(subject.split)), subject.standing(self.eps)
        forwards, backwards = 30 + standing * (80 + 2 * self.steps), 15 + standing * (25 + 2 * self.steps)
        return Passes(round(rows * forwards), round(rows * backwards))

    def announced(self) -> Sequence[Announced]:
        """The figures that it will find: none, since it finds verdicts."""
        return []

    def carry_out(self, task: Task) -> Finding:
        """Carry out every check."""
        make = blindly if without_slopes(task.subject) else bounded
        attack = make(self.eps, Linf(), self.steps)
        classes = task.subject.split.classes
        found = verdicts(task.subject.model, task.batch(self.n), classes=classes, attack=attack, seed=task.seed)
        return Finding(verdicts=found)
