"""Whether the network's gradient is worth looking at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import final

from pellucid.audits.explained.part import figure
from pellucid.audits.finding import Finding
from pellucid.audits.part import Announced, Part, Task, check_counts, halved
from pellucid.evaluate.counting import passes_of_maps, passes_of_scores
from pellucid.evaluate.explanations import Metric, Passes, judge
from pellucid.evaluate.speed import Speed
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
    lightened = (("n", 12),)

    def __post_init__(self) -> None:
        check_counts(self, 1, "n")

    def passes(self, subject: Subject) -> Passes:
        """The passes that the metrics take, counted on one image."""
        maps = passes_of_maps(Gradient(), subject.split.shape, len(subject.split.classes))
        return sum(self._scores(subject).values(), maps) * min(self.n, len(subject.split))

    def lighter(self, subject: Subject, speed: Speed) -> "Gradients | None":
        """On fewer images, then without the dearest metric."""
        if fewer := halved(self, len(subject.split)):
            return fewer
        costs = {name: speed.seconds(each) for name, each in self._scores(subject).items()}
        if len(costs) < 2:
            return None
        dearest = max(costs, key=costs.__getitem__)
        return replace(self, metrics={name: metric for name, metric in self.metrics.items() if name != dearest})

    def _scores(self, subject: Subject) -> dict[str, Passes]:
        shape, classes = subject.split.shape, len(subject.split.classes)
        return {name: passes_of_scores(metric, Gradient(), shape, classes) for name, metric in self.metrics.items()}

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
