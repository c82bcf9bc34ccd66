"""Attacking a split chunk by chunk; what is done is kept, so that a measurement that was killed goes on."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from pellucid import config
from pellucid.attacks import Attack, Engine, Perturbed
from pellucid.batch import Batch
from pellucid.data import Split
from pellucid.errors import MeasurementError
from pellucid.evaluate.robustness.record import Record
from pellucid.ledger import (
    Job,
    by_images,
    check_unchanged,
    described,
    fingerprint,
    in_chunks,
    stored,
)


def measure(
    model: nn.Module,
    split: Split,
    attack: Attack,
    *,
    seed: int = 0,
    folder: Path | None = None,
    engine: Engine = Engine(),
    job: Job = Job(),
) -> Record:
    """What an attack comes to on every image of a split; `job.watch` is told the accuracy so far.

    In a `folder` every chunk is kept when it is done, and the same call goes on after the last one; a complete
    measurement is read back. Several processes may work in one folder.
    """
    if not len(split):
        raise MeasurementError("this split has no images; measure on one or more")
    about = measuring_description(model, split, attack, seed, engine)
    store = stored(folder, Record, about, job)

    def columns(images: Batch) -> dict[str, Tensor]:
        found = _columns(images, attack.on(model, images, seed=seed, engine=engine))
        check_unchanged(model, about["model"])
        return found

    return in_chunks(
        store,
        by_images(split, columns),
        rows=len(split),
        doing="measuring",
        words=lambda: _accuracy(store.parts.values()),
        job=job,
    )


def measuring_description(
    model: nn.Module, split: Split, attack: Attack, seed: int, engine: Engine
) -> dict[str, Any]:
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


def _columns(images: Batch, found: Perturbed) -> dict[str, Tensor]:
    return {
        "index": images.index,
        "y": images.y,
        "predicted": found.before.argmax(1),
        "found": found.after.argmax(1),
        "confidence": found.before.softmax(1).gather(1, images.y[:, None]).squeeze(1),
        "reached": found.reached,
        "reached_at_start": found.reached_at_start,
        "distance": found.distance,
        "forwards": found.forwards,
        "backwards": found.backwards,
        "part": found.part,
    }


def _accuracy(parts: Collection[Record]) -> str:
    images = sum(map(len, parts))
    return f"accuracy {sum(part.unreached for part in parts) / images:.3f}" if images else ""
