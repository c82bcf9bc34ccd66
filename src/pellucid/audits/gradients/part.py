"""Whether the network's gradient is worth looking at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

from torch import nn

from pellucid.audits.explained.part import figure
from pellucid.audits.finding import Finding
from pellucid.audits.part import Announced, Part, Task, check_counts
from pellucid.data import Split
from pellucid.evaluate.counting import passes_of
from pellucid.evaluate.explanations import Metric, Passes, judge
from pellucid.explainers import Gradient
from pellucid.page.figure import Figure
from pellucid.papers import cites
from pellucid.subjects import Subject


@cites()
@final
@dataclass(frozen=True)
class Gradients(Part):
    """Metrics of the plain gradient, on `n` images and about the class that each is predicted as."""

    metrics: Mapping[str, Metric] = field(default_factory=dict[str, Metric])
    n: int = 100

    labeled = False

    def __post_init__(self) -> None:
        check_counts(self, 1, "n")

    def passes(self, subject: Subject) -> Passes:
        """The passes that the metrics take, counted on one image."""

        def ask(model: nn.Module, split: Split) -> None:
            judge(model, split, self.metrics, explainer=Gradient())

        return passes_of(subject.split, min(self.n, len(subject.split)), ask)

    def announced(self) -> Sequence[Announced]:
        """Every metric, of the gradient where it judges explanations."""
        return [
            Announced(name, () if metric.needs == "network" else ("gradient",))
            for name, metric in self.metrics.items()
        ]

    def carry_out(self, task: Task) -> Finding:
        """Judge them all on the same maps."""
        found = judge(
            task.subject.model,
            task.some(self.n),
            self.metrics,
            explainer=Gradient(),
            seed=task.seed,
            folders={metric: task.place / metric for metric in self.metrics},
            job=task.job(64, lambda _: "gradients"),
        )
        figures: list[Figure] = []
        for name, record in found.items():
            metric = self.metrics[name]
            figures.append(figure(name, metric, record, *(() if metric.needs == "network" else ("gradient",))))
        return Finding(tuple(figures))
