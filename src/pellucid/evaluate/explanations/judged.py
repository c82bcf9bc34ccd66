"""Judging the explanations of a split, chunk by chunk; what is done is kept, so that a killed run goes on."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pellucid import files
from pellucid.batch import Batch
from pellucid.data import Split, sequential
from pellucid.errors import ConfigError, MeasurementError
from pellucid.evaluate.explanations.metric import Metric, Scores
from pellucid.evaluate.explanations.passes import counted
from pellucid.explainers import Explainer
from pellucid.kinds import in_single
from pellucid.ledger import (
    Folder,
    Table,
    check_unchanged,
    described,
    fingerprint,
    in_halves_on_oom,
    kind_in,
    summary,
)
from pellucid.metrics import Estimate

_HALF = 0.5
_NOTHING = ": to take them away changes nothing"


@dataclass(frozen=True, eq=False)
class Judged(Table):
    """What a metric says of the explanation of every image, and what it was.

    Columns, a row per image: `index` (its number in the split), `y`, `of` (the class that was explained), `value`,
    `defined` (whether the image has a value), `forwards` and `backwards` (passes, averaged over the image's chunk),
    and whatever else the metric found.
    """

    def __repr__(self) -> str:
        about, explainer = kind_in(self.about, "metric"), self.about.get("explainer")
        better = str(self.about.get("better", "neither"))
        figures: dict[str, Callable[[], object]] = {
            f"mean ({better} is better)" if better != "neither" else "mean": lambda: self.mean
        }
        if "defined" in self.columns and self.undefined:
            figures["without a value"] = lambda: self.undefined
        return summary(
            self, figures, about if explainer is None else f"{about} of {kind_in(self.about, 'explainer')}"
        )

    @property
    def undefined(self) -> int:
        """How many images have no value."""
        return int((~self.columns["defined"]).sum())

    @property
    def idle(self) -> float | None:
        """The share of the images that is as the fill already, on average; none where nothing is filled."""
        return float(self.columns["idle"].mean()) if "idle" in self.columns else None

    @property
    def idle_in_words(self) -> str:
        """The share of pixels that are as the fill already, in words; none below half, where it matters little."""
        share = self.idle
        return (
            "" if share is None or share < _HALF else f"{share:.0%} of the pixels are as the fill already{_NOTHING}"
        )

    @property
    def values(self) -> Tensor:
        """The values of those images that have one."""
        return self.columns["value"][self.columns["defined"]]

    @property
    def mean(self) -> Estimate | None:
        """The mean over the images that have a value; none where no image has."""
        return Estimate.mean(self.values) if len(self.values) else None


@dataclass(frozen=True)
class Judging:
    """How far the judging is: images done, of how many."""

    done: int
    total: int


def judge(
    model: nn.Module,
    split: Split,
    metrics: Mapping[str, Metric],
    *,
    explainer: Explainer | None = None,
    of: int | str = "predicted",
    seed: int = 0,
    batch: int = 128,
    folders: Mapping[str, Path] | None = None,
    watch: Callable[[Judging], None] = lambda _: None,
) -> dict[str, Judged]:
    """What each metric says of how `explainer` explains every image of a split.

    Without an explainer the maps are the split's column `map`. Maps are made once for all metrics. In `folders`, one
    for each metric, every chunk is kept when it is done, and the same call goes on after the last one. Memory grows
    with `batch`, not with the number of images.
    """
    steps = judge_steps(model, split, metrics, explainer=explainer, of=of, seed=seed, batch=batch, folders=folders)
    while True:
        try:
            watch(next(steps))
        except StopIteration as end:
            return end.value


def judge_steps(
    model: nn.Module,
    split: Split,
    metrics: Mapping[str, Metric],
    *,
    explainer: Explainer | None = None,
    of: int | str = "predicted",
    seed: int = 0,
    batch: int = 128,
    folders: Mapping[str, Path] | None = None,
) -> Generator[Judging, None, dict[str, Judged]]:
    """Judge explanations as `judge` does, as a generator that says how far it is."""
    if not len(split):
        raise MeasurementError("this split has no images; judge the explanations of one or more")
    if not metrics:
        raise ConfigError("no metric is named; 'pellucid list metrics' has them all")
    about = {
        name: judging_description(model, split, metric, explainer=explainer, of=of, seed=seed)
        for name, metric in metrics.items()
    }
    (first,) = split.batches([torch.arange(1)])
    model = in_single(model, first.x)
    looked = fingerprint(model)  # of a copy in float32, where the network is in half precision
    if folders is None:
        parts: dict[str, dict[int, Judged]] = {name: {} for name in metrics}
        for number, images in enumerate(split.batches(sequential(split, batch))):
            for name, part in _judged(list(metrics), metrics, model, images, explainer, of, seed, about):
                check_unchanged(model, looked)
                parts[name][number] = part
            yield _progress(parts, len(split))
        return {name: Judged.joined([*some.values()]) for name, some in parts.items()}
    places = {name: Folder(folders[name], Judged) for name in metrics}
    with ExitStack() as locks:
        for place in places.values():
            locks.enter_context(files.locked(place.path))
        sizes = {name: place.begin(about[name], batch) for name, place in places.items()}
        complete = {name: found for name, place in places.items() if (found := place.whole(about[name])) is not None}
        for name in complete:
            places[name].clear()  # which a kill may have prevented
        open_ = [name for name in metrics if name not in complete]
        for size in sorted({sizes[name] for name in open_}):
            together = [name for name in open_ if sizes[name] == size]
            plan = sequential(split, size)
            parts = {name: places[name].parts(len(plan)) for name in together}
            missing = [number for number in range(len(plan)) if any(number not in parts[name] for name in together)]
            for number, images in zip(missing, split.batches([plan[number] for number in missing]), strict=True):
                lacking = [name for name in together if number not in parts[name]]
                for name, part in _judged(lacking, metrics, model, images, explainer, of, seed, about):
                    check_unchanged(model, looked)
                    places[name].keep(part, number)
                    parts[name][number] = part
                yield _progress(parts, len(split))
            complete |= {name: places[name].finish(parts[name]) for name in together}
        yield Judging(len(split), len(split))
        return {name: complete[name] for name in metrics}


def judging_description(
    model: nn.Module,
    split: Split,
    metric: Metric,
    *,
    explainer: Explainer | None = None,
    of: int | str = "predicted",
    seed: int = 0,
) -> dict[str, Any]:
    """Everything that a judgment depends on."""
    return {
        "metric": described(metric),
        "explainer": None if explainer is None or metric.needs == "network" else described(explainer),
        "of": of,
        "better": metric.better,
        "seed": seed,
        "classes": len(split.classes),
        "images": len(split),
        "data": split.fingerprint(),
        "model": fingerprint(model),
    }


def _judged(
    lacking: Sequence[str],
    metrics: Mapping[str, Metric],
    model: nn.Module,
    images: Batch,
    explainer: Explainer | None,
    of: int | str,
    seed: int,
    about: Mapping[str, Mapping[str, Any]],
) -> Iterator[tuple[str, Judged]]:
    """Metric by metric, of maps that are made once for all; where memory does not suffice, of half of the images."""
    maps, forwards, backwards = images.columns.get("map"), 0, 0
    about_class: int | str | Tensor = of
    if explainer is not None and maps is None and any(metrics[name].needs != "network" for name in lacking):
        with counted(model) as passes:
            made = in_halves_on_oom(lambda some: explainer.on(model, some, of, seed=seed), images)
        maps, about_class = torch.cat([one.map for one in made]), torch.cat([one.of for one in made])
        forwards, backwards = passes.forwards, passes.backwards
    numbered = images.with_column("row", torch.arange(len(images), device=images.x.device))
    for name in lacking:
        metric = metrics[name]

        def judged(some: Batch, metric: Metric = metric) -> dict[str, Tensor]:
            rows = some.column("row")
            classes = about_class[rows] if isinstance(about_class, Tensor) else about_class
            own = None if maps is None else maps[rows]
            scores = metric.on(model, images.rows(rows), classes, explainer=explainer, maps=own, seed=seed)
            return _columns(scores, some, len(images), *(() if metric.needs == "network" else (forwards, backwards)))

        parts = in_halves_on_oom(judged, numbered)
        yield name, Judged({key: torch.cat([part[key] for part in parts]) for key in parts[0]}, about[name])


def _columns(scores: Scores, images: Batch, chunk: int, forwards: int = 0, backwards: int = 0) -> dict[str, Tensor]:
    """What is kept of some images; so many passes made the maps of their whole chunk."""
    cost = {
        "forwards": scores.forwards / len(images) + forwards / chunk,
        "backwards": scores.backwards / len(images) + backwards / chunk,
    }
    columns = {
        "index": images.index,
        "y": images.y,
        "of": scores.of,
        "value": scores.value,
        "defined": scores.defined,
        **{passes: torch.full((len(images),), share, dtype=torch.float64) for passes, share in cost.items()},
        **scores.columns,
    }
    return {name: values.cpu() for name, values in columns.items()}


def _progress(parts: Mapping[str, Mapping[int, Judged]], total: int) -> Judging:
    return Judging(min(sum(map(len, some.values())) for some in parts.values()), total)
