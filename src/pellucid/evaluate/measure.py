"""Attacking a split chunk by chunk; what is done is kept, so that a measurement that was killed goes on."""

from collections.abc import Callable, Collection, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pellucid import config, files
from pellucid.attacks import Attack, Engine, Perturbed
from pellucid.batch import Batch
from pellucid.data import Split, sequential
from pellucid.errors import MeasurementError
from pellucid.evaluate.record import Record
from pellucid.ledger import Folder, check_unchanged, described, fingerprint, in_halves_on_oom


@dataclass(frozen=True)
class Measured:
    """How far a measurement is: images done, of how many, and the share that survived."""

    done: int
    total: int
    survived: float


def measure(
    model: nn.Module,
    split: Split,
    attack: Attack,
    *,
    seed: int = 0,
    batch: int = 128,
    folder: Path | None = None,
    engine: Engine = Engine(),  # noqa: B008
    watch: Callable[[Measured], None] = lambda _: None,
) -> Record:
    """What an attack comes to on every image of a split; `watch` is told how far it is.

    In a `folder` every chunk is kept when it is done, and the same call goes on after the last one; a complete
    measurement is read back. Memory grows with `batch`, not with the number of images; where even that is too much,
    chunks are halved.
    """
    steps = measure_steps(model, split, attack, seed=seed, batch=batch, folder=folder, engine=engine)
    while True:
        try:
            watch(next(steps))
        except StopIteration as end:
            return end.value


def measure_steps(
    model: nn.Module,
    split: Split,
    attack: Attack,
    *,
    seed: int = 0,
    batch: int = 128,
    folder: Path | None = None,
    engine: Engine = Engine(),  # noqa: B008
) -> Generator[Measured, None, Record]:
    """`measure`, saying after every chunk how far it is."""
    if not len(split):
        raise MeasurementError("this split has no images; measure on one or more")
    about = description(model, split, attack, seed, engine)
    if folder is None:
        parts: list[Record] = []
        for part in _parts(model, split, sequential(split, batch), attack, about, engine):
            parts.append(part)
            yield _progress(parts, len(split))
        return Record.joined(parts)
    place = Folder(folder, Record)
    with files.locked(folder):
        plan = sequential(split, place.begin(about, batch))
        if (record := place.whole(about)) is not None:
            place.clear()  # which a kill may have prevented
            yield _progress([record], len(split))
            return record
        done = place.parts(len(plan))
        if done:
            yield _progress(done.values(), len(split))
        missing = [number for number in range(len(plan)) if number not in done]
        chunks = _parts(model, split, [plan[number] for number in missing], attack, about, engine)
        for number, part in zip(missing, chunks, strict=True):
            place.keep(part, number)
            done[number] = part
            yield _progress(done.values(), len(split))
        return place.finish(done)


def description(model: nn.Module, split: Split, attack: Attack, seed: int, engine: Engine) -> dict[str, Any]:
    """Everything that a measurement depends on."""
    return {
        "attack": described(attack),
        "norm": described(attack.norm),
        "goal": described(attack.goal),
        "levels": list(attack.levels),
        "nearest": attack.nearest,
        "seed": seed,
        "classes": len(split.classes),
        "images": len(split),
        "data": split.fingerprint(),
        "model": fingerprint(model),
        "engine": config.dump(engine),
    }


def _parts(
    model: nn.Module, split: Split, plan: list[Tensor], attack: Attack, about: Mapping[str, Any], engine: Engine
) -> Generator[Record]:
    for images in split.batches(plan):
        parts = in_halves_on_oom(lambda some: attack.on(model, some, seed=about["seed"], engine=engine), images)
        check_unchanged(model, about["model"])
        yield Record(_columns(images, parts), about)


def _columns(images: Batch, parts: list[Perturbed]) -> dict[str, Tensor]:
    def column(name: str) -> Tensor:
        return torch.cat([getattr(part, name) for part in parts])

    before = column("before")
    columns = {
        "index": images.index,
        "y": images.y,
        "predicted": before.argmax(1),
        "found": column("after").argmax(1),
        "confidence": before.softmax(1).gather(1, images.y[:, None]).squeeze(1),
    }
    columns |= {
        name: column(name) for name in ("reached", "reached_at_start", "distance", "forwards", "backwards", "part")
    }
    return {name: values.cpu() for name, values in columns.items()}


def _progress(parts: Collection[Record], total: int) -> Measured:
    done = sum(map(len, parts))
    return Measured(done, total, sum(part.unreached for part in parts) / done)
