"""How much of the accuracy is left under attack, and how far images are from failing."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import final

import torch

from pellucid import config
from pellucid.attacks import Attack, BelowChance, Ladder, Misclassified
from pellucid.attacks.attack import check_box, check_budget
from pellucid.audits.finding import Finding
from pellucid.audits.part import Announced, Part, Task, check_counts
from pellucid.audits.robust.details import Details, Points
from pellucid.audits.searches import blindly, bounded, nearest, without_slopes
from pellucid.errors import MeasurementError
from pellucid.evaluate import Record, Verdict, measure, verdicts
from pellucid.evaluate.explanations import Passes
from pellucid.norms import L2, Linf
from pellucid.page.figure import Figure
from pellucid.papers import CROCE, MADRY, NOACK, PINTOR, RONY, WOODS, cites
from pellucid.protocols import Norm
from pellucid.subjects import Subject

_POINTS = 60  # of a curve that is drawn
_AT_ONCE = 6  # passes that an image takes which falls at once


@cites(MADRY, CROCE, PINTOR, RONY, WOODS, NOACK)
@final
@dataclass(frozen=True)
class Robust(Part):
    """Robust accuracy at several budgets by PGD and APGD; curve and both Accuracy-Robustness Areas by FMN and DDN.

    `n` images for the budgets and `nearest` for the curve and the areas, with `nearest_steps` of FMN and half as many
    of DDN. Whether these searches have converged is checked on `repeated` of the images.
    """

    n: int = 200
    nearest: int = 100
    linf: tuple[float, ...] = (2 / 255, 4 / 255, 8 / 255)
    l2: tuple[float, ...] = (0.25, 0.5, 1.0)
    steps: int = 20
    nearest_steps: int = 50
    repeated: int = 16

    weight = 4.0
    lightened = (
        ("repeated", 4),
        ("nearest", 24),
        ("n", 32),
        ("nearest_steps", 20),
        ("steps", 10),
        ("nearest", 12),
        ("n", 12),
        ("repeated", 2),
    )

    def __post_init__(self) -> None:
        check_counts(self, 1, "n", "nearest", "steps", "repeated")
        check_counts(self, 2, "nearest_steps")  # one for each loss
        for norm, budgets in ((Linf(), self.linf), (L2(), self.l2)):
            for eps in budgets:
                check_budget(eps, norm, "Robust")

    def check(self, subject: Subject) -> None:
        """Refuse budgets within which images of this size could become any other."""
        (image,) = subject.split.batches([torch.arange(1)])
        for eps in self.l2:
            check_box(eps, L2(), image.x, "Robust")

    def passes(self, subject: Subject) -> Passes:
        """As of images that stand the smallest budget, and of those that fall at once; wrong ones fell before."""
        count, rows = len(subject.split), 0.0
        for _, norm, budgets in self._budgets():
            standing = subject.standing(min(budgets), norm)
            rows += min(self.n, count) * (_AT_ONCE + 2 * self.steps * standing)
        search, goals = self.nearest_steps + self.nearest_steps // 2, 1 + subject.standing(0)
        # each goal once more, and with four times as many steps
        rows += goals * search * (min(self.nearest, count) + 5 * min(self.repeated, count))
        return Passes(round(rows) + 4 * min(self.n, count), round(rows))

    def announced(self) -> Sequence[Announced]:
        """Robust accuracy at every budget, and both areas."""
        budgets = [("linf", eps) for eps in sorted(self.linf)] + [("l2", eps) for eps in sorted(self.l2)]
        found = [Announced("robust_accuracy", (norm, written(eps))) for norm, eps in budgets]
        return [*found, Announced("area", ("attack",)), Announced("area", ("below_chance",))]

    def carry_out(self, task: Task) -> Finding:
        """Attack at each budget, then look for the nearest failure of each image."""
        blind = without_slopes(task.subject)
        note = f"by Square alone, which needs no gradients: {blind}" if blind else ""
        figures: list[Figure] = []
        records: dict[str, Record] = {}
        checked: list[Verdict] = []
        for name, norm, budgets in self._budgets():
            attack = self._ladder(norm, budgets, blindly if blind else bounded)
            record = records[name] = self._measured(task, f"attacks, {name}", attack, self.n, name)
            for eps in sorted(budgets):
                robust = record.robust_accuracy(eps)
                figures.append(Figure("robust_accuracy", (name, written(eps)), robust, note=note))
        for name, goal in (("attack", Misclassified()), ("below_chance", BelowChance())):
            if blind:
                why = f"{blind}, and what looks for the nearest failure follows gradients"
                figures.append(Figure("area", (name,), None, note=why))
                continue
            attack = nearest(goal, self.nearest_steps)
            record = records[name] = self._measured(task, f"nearest failures, {name}", attack, self.nearest, name)
            try:
                figures.append(Figure("area", (name,), record.area(), note=_unreached(record)))
            except MeasurementError as error:
                figures.append(Figure("area", (name,), None, note=str(error)))
            checked += self._converged(task, attack, name)
        curves = {name: _curve(record) for name, record in records.items()}
        return Finding(tuple(figures), tuple(checked), Details(curves))

    def _budgets(self) -> list[tuple[str, Norm, tuple[float, ...]]]:
        """The norms in which there are budgets, by name."""
        every: list[tuple[str, Norm, tuple[float, ...]]] = [("linf", Linf(), self.linf), ("l2", L2(), self.l2)]
        return [own for own in every if own[2]]

    def _ladder(self, norm: Norm, budgets: Sequence[float], make: Callable[[float, Norm, int], Attack]) -> Attack:
        attacks = [make(eps, norm, self.steps) for eps in sorted(budgets)]
        return Ladder(tuple(attacks)) if len(attacks) > 1 else attacks[0]

    def _converged(self, task: Task, attack: Attack, name: str) -> list[Verdict]:
        """Whether a longer search finds much nearer failures; of the two goals each has a verdict of its own."""
        model, classes = task.subject.model, task.subject.split.classes
        some = task.batch(self.repeated)
        found = verdicts(model, some, classes=classes, attack=attack, seed=task.seed, checks=("convergence",))
        goal = "" if name == "attack" else f"-{name.replace('_', '-')}"
        return [replace(verdict, check=verdict.check + goal) for verdict in found]

    def _measured(self, task: Task, words: str, attack: Attack, n: int, name: str) -> Record:
        return measure(
            task.subject.model,
            task.some(n),
            attack,
            seed=task.seed,
            folder=task.place / f"{config.kind_of(type(attack))}-{name}",
            job=task.job(64, lambda step: f"{words}: {step.words}"),
        )


def written(eps: float) -> str:
    """A budget as papers write it: as a number where that is short, in 255ths where it is so many."""
    if math.isclose(eps, round(eps, 3)):
        return f"{eps:g}"
    levels = Fraction(eps * 255).limit_denominator(2)
    if levels and abs(float(levels) / 255 - eps) < 1e-9:
        return f"{levels.numerator if levels.denominator == 1 else float(levels):g}/255"
    return f"{eps:g}"


def _unreached(record: Record) -> str:
    if not record.unreached:
        return ""
    return f"no failure was found for {record.unreached} of {len(record)} images; they stand as far as any was found"


def _curve(record: Record) -> Points:
    """Distance and the share that stands beyond it; of a bounded attack its budgets alone."""
    if not record.about["nearest"]:
        return tuple((eps, record.robust_accuracy(eps).value) for eps in record.about["levels"])
    if record.unreached == len(record):
        return ()
    at, standing = record.curve()
    keep = torch.linspace(0, len(at) - 1, min(_POINTS, len(at))).round().long().unique()
    return tuple(zip(at[keep].tolist(), standing[keep].tolist(), strict=True))
