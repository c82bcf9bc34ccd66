"""Whether explanations can be believed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import final

from pellucid import config
from pellucid.audits.explained.details import Details, OfMetric
from pellucid.audits.finding import Finding
from pellucid.audits.part import Announced, Part, Task, check_counts, halved
from pellucid.errors import ConfigError
from pellucid.evaluate.counting import passes_of_maps, passes_of_scores
from pellucid.evaluate.explanations import Judged, Metric, Passes, judge
from pellucid.evaluate.speed import Speed
from pellucid.explainers import Explainer
from pellucid.explainers.explanation import notes_in_words
from pellucid.page.figure import Figure
from pellucid.papers import cites
from pellucid.subjects import Subject, fitted

_LOOKED_AT = 4  # images whose maps are asked what has to be known of them
_FAR = 4  # times the mean cost, from which on a figure is left out before images are
_LEFT_OUT = "left out, so that the audit keeps to its time"


@cites()
@final
@dataclass(frozen=True)
class Explained(Part):
    """Metrics of explainers, on `n` images and about the class that each is predicted as.

    `without` are figures that are left out, as "insertion of smoothgrad".
    """

    explainers: Mapping[str, Explainer] = field(default_factory=dict[str, Explainer])
    metrics: Mapping[str, Metric] = field(default_factory=dict[str, Metric])
    n: int = 50
    without: tuple[str, ...] = ()

    labeled = False
    weight = 4.0
    lightened = (("n", 8),)

    def __post_init__(self) -> None:
        check_counts(self, 1, "n")
        known = [_pair(metric, name) for name in self.explainers for metric in self.metrics]
        for pair in self.without:
            if pair not in known:
                raise ConfigError(f"without has '{pair}', which is no figure of this part; {_example(known)}")

    def passes(self, subject: Subject) -> Passes:
        """Counted on one image; explainers that learn are left out."""
        shape, classes = subject.split.shape, len(subject.split.classes)
        images = min(self.n, len(subject.split))
        looked = images + min(images, _LOOKED_AT)  # once for the metrics, and once to see what is to be known
        maps = (
            passes_of_maps(subject.as_dear(explainer), shape, classes) * looked
            for name, explainer in self.explainers.items()
            if self._metrics(name)
        )
        return sum(maps, sum((each * images for each in self._scores(subject).values()), Passes()))

    def lighter(self, subject: Subject, speed: Speed) -> "Explained | None":
        """On fewer images, or without the dearest figure: before that where it is far dearer than the others."""
        costs = {pair: speed.seconds(each) for pair, each in self._scores(subject).items()}
        dearest = max(costs, key=costs.__getitem__, default="")
        last = len(costs) < 2
        far = not last and costs[dearest] * len(costs) > _FAR * sum(costs.values())
        fewer = None if far else halved(self, len(subject.split))
        return fewer or (None if last else replace(self, without=(*self.without, dearest)))

    def _scores(self, subject: Subject) -> dict[str, Passes]:
        """The passes of one image that each figure takes."""
        shape, classes = subject.split.shape, len(subject.split.classes)
        return {
            _pair(metric, name): passes_of_scores(kind, subject.as_dear(explainer), shape, classes)
            for name, explainer in self.explainers.items()
            for metric, kind in self._metrics(name).items()
        }

    def _metrics(self, explainer: str) -> Mapping[str, Metric]:
        """The metrics of one of the explainers."""
        return {name: kind for name, kind in self.metrics.items() if _pair(name, explainer) not in self.without}

    def announced(self) -> Sequence[Announced]:
        """Every metric of every explainer that is not left out."""
        return [Announced(metric, (name,)) for name in self.explainers for metric in self._metrics(name)]

    def carry_out(self, task: Task) -> Finding:
        """Judge explainer by explainer; maps are made once for all metrics."""
        figures: list[Figure] = []
        known: dict[str, tuple[str, ...]] = {}
        for name, explainer in self.explainers.items():
            asked = self._metrics(name)
            figures += [
                Figure(metric, (name,), None, kind.better, _LEFT_OUT)
                for metric, kind in self.metrics.items()
                if metric not in asked
            ]
            if not asked:
                continue
            try:
                ready = fitted(explainer, task.subject.model, task.subject.train, seed=task.seed)
                known[name] = self._known(task, ready)
                figures += self._judged(task, name, ready, asked)
            except Exception:  # one metric that cannot be measured does not lose the others
                for metric, kind in asked.items():
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


def _pair(metric: str, explainer: str) -> str:
    return f"{metric} of {explainer}"


def _example(known: Sequence[str]) -> str:
    return f"leave out such as '{known[0]}'" if known else "it has none"


def _end(bound: float) -> float | None:
    return None if math.isinf(bound) else bound


def figure(name: str, metric: Metric, record: Judged, *arguments: str) -> Figure:
    """The mean of a metric, and how many images are left out of it."""
    lost = record.undefined
    note = f"{lost} of {len(record)} images have no value: {metric.undefined}" if lost else ""
    note = "; ".join(filter(None, (note, record.idle_in_words, record.flagged_in_words)))
    return Figure(name, arguments, record.mean, metric.better, note)
