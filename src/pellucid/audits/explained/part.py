"""Whether explanations can be believed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import torch
from torch import nn

from pellucid import config
from pellucid.audits.explained.details import Details, OfMetric
from pellucid.audits.finding import Finding
from pellucid.audits.part import Announced, Part, Task, check_counts
from pellucid.data import Split
from pellucid.evaluate.counting import passes_of
from pellucid.evaluate.explanations import Judged, Metric, Passes, judge
from pellucid.explainers import Explainer
from pellucid.explainers.explanation import notes_in_words
from pellucid.page.figure import Figure
from pellucid.papers import cites
from pellucid.subjects import Subject, fitted

_LOOKED_AT = 4  # images whose maps are asked what has to be known of them


@cites()
@final
@dataclass(frozen=True)
class Explained(Part):
    """Metrics of explainers, on `n` images and about the class that each is predicted as."""

    explainers: Mapping[str, Explainer] = field(default_factory=dict[str, Explainer])
    metrics: Mapping[str, Metric] = field(default_factory=dict[str, Metric])
    n: int = 50

    labeled = False

    def __post_init__(self) -> None:
        check_counts(self, 1, "n")

    def passes(self, subject: Subject) -> Passes:
        """Counted on one image; explainers that learn are left out."""
        asked = [explainer for explainer in self.explainers.values() if not explainer.learns]

        def ask(model: nn.Module, split: Split) -> None:
            for explainer in asked:
                judge(model, split, self.metrics, explainer=explainer)

        def look(model: nn.Module, split: Split) -> None:
            (batch,) = split.batches([torch.arange(1)])
            for explainer in asked:
                explainer.on(model, batch, "predicted")

        judged = passes_of(subject.split, min(self.n, len(subject.split)), ask)
        looked = passes_of(subject.split, min(self.n, _LOOKED_AT, len(subject.split)), look)
        return Passes(
            judged.forwards + looked.forwards,
            judged.backwards + looked.backwards,
            judged.differentiated + looked.differentiated,
        )

    def announced(self) -> Sequence[Announced]:
        """Every metric of every explainer."""
        return [Announced(metric, (name,)) for name in self.explainers for metric in self.metrics]

    def carry_out(self, task: Task) -> Finding:
        """Judge explainer by explainer; maps are made once for all metrics."""
        figures: list[Figure] = []
        known: dict[str, tuple[str, ...]] = {}
        for name, explainer in self.explainers.items():
            try:
                ready = fitted(explainer, task.subject.model, task.subject.train, seed=task.seed)
                known[name] = self._known(task, ready)
                figures += self._judged(task, name, ready, self.metrics)
            except Exception:  # one metric that cannot be measured does not lose the others
                for metric, kind in self.metrics.items():
                    try:
                        ready = fitted(explainer, task.subject.model, task.subject.train, seed=task.seed)
                        figures += self._judged(task, name, ready, {metric: kind})
                    except Exception as error:
                        reason = f"could not be measured: {str(error).partition(chr(10))[0]}"
                        figures.append(Figure(metric, (name,), None, kind.better, reason))
        shape = task.subject.split.shape
        metrics = {
            name: OfMetric(
                metric.better, _end(metric.low), _end(metric.high), metric.cost, config.dump(metric.resolved(shape))
            )
            for name, metric in self.metrics.items()
        }
        explainers = {name: config.dump(one.resolved(shape)) for name, one in self.explainers.items()}
        return Finding(tuple(figures), details=Details(metrics, known, explainers))

    def _known(self, task: Task, explainer: Explainer) -> tuple[str, ...]:
        """What its maps of a few images say of themselves."""
        found = explainer.on(task.subject.model, task.batch(min(self.n, _LOOKED_AT)), "predicted", seed=task.seed)
        return tuple(notes_in_words(found.notes, [] if found.completeness is None else found.completeness.lost))

    def _judged(self, task: Task, name: str, explainer: Explainer, metrics: Mapping[str, Metric]) -> list[Figure]:
        found = judge(
            task.subject.model,
            task.some(self.n),
            metrics,
            explainer=explainer,
            seed=task.seed,
            folders={metric: task.place / f"{name}-{metric}" for metric in metrics},
            job=task.job(32, lambda _: f"explanations by {name}"),
        )
        return [figure(metric, metrics[metric], record, name) for metric, record in found.items()]


def _end(bound: float) -> float | None:
    return None if math.isinf(bound) else bound


def figure(name: str, metric: Metric, record: Judged, *arguments: str) -> Figure:
    """The mean of a metric, and how many images are left out of it."""
    lost = record.undefined
    note = f"{lost} of {len(record)} images have no value: {metric.undefined}" if lost else ""
    note = "; ".join(filter(None, (note, record.idle_in_words)))
    return Figure(name, arguments, record.mean, metric.better, note)
