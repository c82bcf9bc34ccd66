"""Judging the explanations of a split, chunk by chunk; what is done is kept, so that a killed run goes on."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.data import Split
from pellucid.errors import ConfigError, MeasurementError
from pellucid.evaluate.explanations.metric import Metric, Scores
from pellucid.evaluate.explanations.passes import counted
from pellucid.explainers import Explainer
from pellucid.kinds import in_single
from pellucid.ledger import (
    Columns,
    Folder,
    Job,
    Memory,
    Progress,
    Table,
    all_of,
    check_unchanged,
    chunked,
    described,
    fingerprint,
    in_chunks,
    in_halves_on_oom,
    joined,
    kind_in,
    stored,
    summary,
)
from pellucid.metrics import Estimate

_HALF = 0.5
_NOTHING = ": to take them away changes nothing"


@dataclass(frozen=True, eq=False)
class Judged(Table):
    """What a metric says of the explanation of every image, and what it was.

    Columns, a row per image: `index` (its number in the split), `y`, `of` (the class that was explained), `value`,
    `defined` (whether the image has a value), `flagged` (whether its map says nothing of its own), `forwards` and
    `backwards` (passes, averaged over the image's chunk), and whatever else the metric found.
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
    def flagged(self) -> int:
        """How many maps are zero, the same everywhere, no more than rounding, or the map of a simpler method."""
        return int(self.columns["flagged"].sum()) if "flagged" in self.columns else 0

    @property
    def flagged_in_words(self) -> str:
        """The same in words; none where there are none."""
        said = "zero, even, no more than rounding or a simpler method's, as 'pellucid explain' says of each"
        return f"{self.flagged} of {len(self)} maps are {said}" if self.flagged else ""

    @property
    def values(self) -> Tensor:
        """The values of those images that have one."""
        return self.columns["value"][self.columns["defined"]]

    @property
    def mean(self) -> Estimate | None:
        """The mean over the images that have a value; none where no image has."""
        return Estimate.mean(self.values) if len(self.values) else None


def judge(
    model: nn.Module,
    split: Split,
    metrics: Mapping[str, Metric],
    *,
    explainer: Explainer | None = None,
    of: int | str = "predicted",
    seed: int = 0,
    folders: Mapping[str, Path] | None = None,
    job: Job = Job(),
) -> dict[str, Judged]:
    """What each metric says of how `explainer` explains every image of a split.

    Without an explainer the maps are the split's column `map`. Maps are made once for all metrics. In `folders`, one
    for each metric, every chunk is kept when it is done, and the same call goes on after the last one. Several
    processes may work in the same folders.
    """
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
    stores = {name: stored(folders[name] if folders else None, Judged, about[name], job) for name in metrics}
    sizes = {name: store.begin() for name, store in stores.items()}
    complete = {name: found for name, store in stores.items() if (found := store.whole()) is not None}

    def together(size: int) -> dict[str, Judged]:
        """What is missing of those metrics whose chunks have so many images, since some were begun before."""
        some = _Together({name: stores[name] for name in metrics if name not in complete and sizes[name] == size})

        def make(numbers: Iterator[int], size: int) -> Iterator[dict[str, Columns]]:
            for number, images in chunked(split, numbers, size):
                lacking = {name: metrics[name] for name in some.lacking(number)}
                found: dict[str, Columns] = {}
                for name, columns in _judged(lacking, model, images, explainer, of, seed):
                    check_unchanged(model, looked)
                    found[name] = columns
                yield found

        return in_chunks(some, make, rows=len(split), doing="judging", job=job)

    open_ = sorted({sizes[name] for name in metrics if name not in complete})
    for found in all_of([partial(together, size) for size in open_]):
        complete |= found
    job.watch(Progress("judging", len(split), len(split)))
    return {name: complete[name] for name in metrics}


class _Together:
    """The stores of several metrics as one, whose chunks are each made of the same maps."""

    def __init__(self, stores: Mapping[str, Folder[Judged] | Memory[Judged]]) -> None:
        self.path = next(iter(stores.values())).path
        self._stores = dict(stores)
        self._complete: dict[str, Judged] = {}  # by others, meanwhile
        self._lacking: dict[int, list[str]] = {}

    def lacking(self, number: int) -> list[str]:
        """The metrics for which this process has claimed a chunk."""
        return self._lacking[number]

    def begin(self) -> int:
        """How many images a chunk has."""
        return max(store.begin() for store in self._stores.values())

    def whole(self) -> dict[str, Judged] | None:
        """Nothing: what is complete is none of these."""
        return None

    def has(self, number: int) -> bool:
        """Whether all metrics have this chunk."""
        return all(name in self._complete or store.has(number) for name, store in self._stores.items())

    def claim(self, number: int) -> bool:
        """Claim a chunk for all metrics that lack it, or for none."""
        taken: list[str] = []
        for name, store in self._stores.items():
            if name in self._complete or store.has(number):
                continue
            if store.claim(number):
                taken.append(name)
                continue
            self._look(name)
            for one in taken:
                self._stores[one].release(number)
            return False
        self._lacking[number] = taken
        return True

    def release(self, number: int) -> None:
        """Give the claims of a chunk up."""
        for name in self._lacking.pop(number, ()):
            self._stores[name].release(number)

    def keep(self, number: int, made: Mapping[str, Columns]) -> None:
        """Keep what each metric says of a chunk."""
        for name, columns in made.items():
            self._stores[name].keep(number, columns)

    def finish(self) -> dict[str, Judged]:
        """The table of each metric."""
        for name, store in self._stores.items():
            if name not in self._complete:
                self._complete[name] = store.finish()
        return self._complete

    def finished(self) -> dict[str, Judged] | None:
        """The tables, where others have joined them all."""
        for name in self._stores:
            self._look(name)
        return self._complete if len(self._complete) == len(self._stores) else None

    def close(self) -> None:
        """Give up all claims."""
        for store in self._stores.values():
            store.close()

    def _look(self, name: str) -> None:
        if name not in self._complete and (found := self._stores[name].finished()) is not None:
            self._complete[name] = found


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
    explaining = metric.needs != "network"
    return {
        "metric": described(metric.resolved(split.shape)),
        "explainer": described(explainer.resolved(split.shape)) if explainer is not None and explaining else None,
        "of": of,
        "better": metric.better,
        "seed": seed,
        "classes": len(split.classes),
        "images": len(split),
        "data": split.fingerprint(),
        "model": fingerprint(model),
    }


def _judged(
    metrics: Mapping[str, Metric],
    model: nn.Module,
    images: Batch,
    explainer: Explainer | None,
    of: int | str,
    seed: int,
) -> Iterator[tuple[str, Columns]]:
    """Metric by metric, of maps that are made once for all; where memory does not suffice, of half of the images."""
    maps, forwards, backwards = images.columns.get("map"), 0, 0
    flagged: Tensor | None = None
    about_class: int | str | Tensor = of
    if explainer is not None and maps is None and any(one.needs != "network" for one in metrics.values()):
        with counted(model) as passes:
            made = in_halves_on_oom(lambda some: explainer.on(model, some, of, seed=seed), images)
        maps, about_class = torch.cat([one.map for one in made]), torch.cat([one.of for one in made])
        flagged = torch.cat([one.flagged for one in made]).to(maps.device)
        forwards, backwards = passes.forwards, passes.backwards
    numbered = images.with_column("row", torch.arange(len(images), device=images.x.device))
    for name, metric in metrics.items():

        def judged(some: Batch, metric: Metric = metric) -> dict[str, Tensor]:
            rows = some.column("row")
            classes = about_class[rows] if isinstance(about_class, Tensor) else about_class
            own = None if maps is None else maps[rows]
            scores = metric.on(model, images.rows(rows), classes, explainer=explainer, maps=own, seed=seed)
            if metric.needs == "network":
                return _columns(scores, some, len(images))
            columns = _columns(scores, some, len(images), forwards, backwards)
            return columns if flagged is None else columns | {"flagged": flagged[rows].cpu()}

        yield name, joined(in_halves_on_oom(judged, numbered))


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
