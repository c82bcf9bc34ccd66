"""Judging the explanations of a subject, each metric of each explainer in a folder of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pellucid import data
from pellucid.errors import ConfigError, DataError, count_of
from pellucid.evaluate.explanations import Judged, Metric, judge, judging_description
from pellucid.explainers import Explainer
from pellucid.ledger import Job, all_of, identity, stored
from pellucid.subjects.explained import fitted
from pellucid.subjects.subject import Subject, folder_name

STORED = "stored maps"
"""What stands in an explainer's place where maps come from a file."""


@dataclass(frozen=True, eq=False)
class Judgment:
    """What one metric says of one explainer, and where it is kept."""

    explainer: str
    metric: str
    kind: Metric
    record: Judged
    path: Path


def judgments_of(
    subject: Subject,
    metrics: Mapping[str, Metric],
    explainers: Mapping[str, Explainer],
    *,
    folder: Path,
    of: int | str = "predicted",
    seed: int = 0,
    job: Job = Job(),
) -> list[Judgment]:
    """Every metric of every explainer; `job.watch` hears whose explanations are being judged, and how far it is.

    Metrics of the network alone are taken once. Without explainers the maps are the images' column `map`.
    """
    asked = _asked(subject, metrics, explainers, of)

    def judged(name: str, explainer: Explainer | None, several: Mapping[str, Metric]) -> list[Judgment]:
        ready = None if explainer is None else fitted(explainer, subject.model, subject.train, seed=seed)
        folders = {
            metric: folder / folder_name(subject, name, metric, identity(about))
            for metric, about in _abouts(subject, several, ready, of, seed).items()
        }
        records = judge(
            subject.model,
            subject.split,
            several,
            explainer=ready,
            of=of,
            seed=seed,
            folders=folders,
            job=job.called(name),
        )
        return [
            Judgment(name, metric, several[metric], record, folders[metric]) for metric, record in records.items()
        ]

    return [one for found in all_of([partial(judged, *each) for each in asked]) for one in found]


def lacking_judgments(
    subject: Subject,
    metrics: Mapping[str, Metric],
    explainers: Mapping[str, Explainer],
    *,
    folder: Path,
    of: int | str = "predicted",
    seed: int = 0,
) -> dict[str, dict[str, Metric]]:
    """The metrics that `judgments_of` has still to take, by the explainer whose maps they judge."""
    found: dict[str, dict[str, Metric]] = {}
    for name, explainer, several in _asked(subject, metrics, explainers, of):
        for metric, about in _abouts(subject, several, explainer, of, seed).items():
            place = folder / folder_name(subject, name, metric, identity(about))
            if not place.exists() or stored(place, Judged, about, Job()).whole() is None:
                found.setdefault(name, {})[metric] = several[metric]
    return found


def _asked(
    subject: Subject, metrics: Mapping[str, Metric], explainers: Mapping[str, Explainer], of: int | str
) -> list[tuple[str, Explainer | None, Mapping[str, Metric]]]:
    """Which metrics judge whose maps, once it is clear that they can."""
    alone = {name: metric for name, metric in metrics.items() if metric.needs == "network"}
    rest = {name: metric for name, metric in metrics.items() if metric.needs != "network"}
    _check(subject, metrics, explainers)
    if of == "label":
        subject.check_labeled("--of label explains for labels")
    asked: list[tuple[str, Explainer | None, Mapping[str, Metric]]] = []
    if alone:
        asked.append(("network", None, alone))
    if rest and not explainers:
        if "map" not in _columns(subject):
            raise ConfigError(f"{next(iter(rest))} judges explanations; name an explainer, or give maps with --maps")
        asked.append((STORED, None, rest))
    return asked + [(name, explainer, rest) for name, explainer in explainers.items() if rest]


def _abouts(
    subject: Subject, metrics: Mapping[str, Metric], explainer: Explainer | None, of: int | str, seed: int
) -> dict[str, dict[str, Any]]:
    return {
        name: judging_description(subject.model, subject.split, metric, explainer=explainer, of=of, seed=seed)
        for name, metric in metrics.items()
    }


def _check(subject: Subject, metrics: Mapping[str, Metric], explainers: Mapping[str, Explainer]) -> None:
    """Say what is missing before any metric is taken, the last one's needs too."""
    known = _columns(subject)
    for name, metric in metrics.items():
        if missing := [column for column in metric.needed if column not in known]:
            raise ConfigError(f"{name} reads a column '{missing[0]}'; give it with --column {missing[0]}=FILE.npy")
        if metric.needs == "explainer" and not explainers:
            raise ConfigError(f"{name} explains changed images, which no stored maps can; name an explainer")
    for name, explainer in explainers.items():
        if explainer.learns and subject.train is None:
            raise ConfigError(f"{name} learns from images of its own; give them with --data, in a folder 'train'")


def judged_summary(subject: Subject, found: Sequence[Judgment]) -> dict[str, Any]:
    """The figures of several judgments, for tables and JSON."""
    return {
        "model": subject.name,
        "untrained": subject.untrained,
        "data": subject.source,
        "images": len(subject.split),
        "of": found[0].record.about["of"],
        "metrics": [_figures(one) for one in found],
    }


def with_columns(split: data.Split, assignments: Sequence[str]) -> data.Split:
    """The split with columns read from files, each written as `name=file`; a file has a row for every image."""
    for assignment in assignments:
        name, equals, path = assignment.partition("=")
        if not (name and equals and path):
            raise ConfigError(f"'{assignment}' is no column; write it as name=file.npy")
        values = data.column_from(Path(path))
        if len(values) != len(split):
            raise DataError(
                f"{path} has {len(values)} rows for {count_of(len(split), 'image')}; it must have one for each"
            )
        split = split.with_column(name, values)
    return split


def _figures(one: Judgment) -> dict[str, Any]:
    record, mean = one.record, one.record.mean
    return {
        "explainer": one.explainer,
        "metric": one.metric,
        "better": one.kind.better,
        "low": _finite(one.kind.low),
        "high": _finite(one.kind.high),
        "mean": None if mean is None else asdict(mean),
        "images": len(record),
        "undefined": record.undefined,
        "why": one.kind.undefined if record.undefined else None,
        "idle": record.idle,
        "flagged": record.flagged,
        "note": "; ".join(filter(None, (record.idle_in_words, record.flagged_in_words))),
        "forwards": _mean(record.columns["forwards"]),
        "backwards": _mean(record.columns["backwards"]),
        "settings": record.about["metric"],
        "explained_by": record.about["explainer"],
        "path": str(one.path),
    }


def _finite(bound: float) -> float | None:
    """JSON knows no infinity."""
    return bound if abs(bound) < float("inf") else None


def _mean(column: Tensor) -> float:
    return float(column.double().mean())


def _columns(subject: Subject) -> Sequence[str]:
    (first,) = subject.split.batches([torch.arange(1)])
    return list(first.columns)
