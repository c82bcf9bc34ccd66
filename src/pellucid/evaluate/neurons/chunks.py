"""A table made chunk by chunk over a split; what is done is kept, so that a killed run goes on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pellucid import files
from pellucid.batch import Batch
from pellucid.data import Split, sequential
from pellucid.errors import MeasurementError
from pellucid.kinds import in_single
from pellucid.ledger import Folder, Table, in_halves_on_oom


@dataclass(frozen=True)
class Stage:
    """How far one part of an examination is: images done, of how many."""

    name: str
    done: int
    total: int


def in_chunks(
    name: str,
    split: Split,
    columns: Callable[[Batch], Mapping[str, Tensor]],
    about: Mapping[str, Any],
    *,
    batch: int,
    folder: Path | None,
    watch: Callable[[Stage], None],
) -> Table:
    """The rows that `columns` makes of every image; in a `folder` the same call goes on where it was stopped.

    Where memory does not suffice for a chunk, it is halved.
    """
    _check(split)

    def made(images: Batch) -> Table:
        parts = in_halves_on_oom(lambda some: {key: column.cpu() for key, column in columns(some).items()}, images)
        return Table({key: torch.cat([part[key] for part in parts]) for key in parts[0]}, about)

    if folder is None:
        parts = []
        for number, images in enumerate(split.batches(sequential(split, batch)), 1):
            parts.append(made(images))
            watch(Stage(name, min(number * batch, len(split)), len(split)))
        return Table.joined(parts)
    place = Folder(folder, Table)
    with files.locked(folder):
        plan = sequential(split, place.begin(about, batch))
        if (whole := place.whole(about)) is not None:
            place.clear()  # which a kill may have prevented
            watch(Stage(name, len(split), len(split)))
            return whole
        done = place.parts(len(plan))
        missing = [number for number in range(len(plan)) if number not in done]
        for number, images in zip(missing, split.batches([plan[number] for number in missing]), strict=True):
            done[number] = made(images)
            place.keep(done[number], number)
            watch(Stage(name, sum(len(plan[number]) for number in done), len(split)))
        return place.finish(done)


def examinable(model: nn.Module, split: Split) -> nn.Module:
    """The network to look into, in float32 as its images are."""
    _check(split)
    (first,) = split.batches([torch.arange(1)])
    return in_single(model, first.x)


def _check(split: Split) -> None:
    if not len(split):
        raise MeasurementError("this split has no images; examine one or more")
