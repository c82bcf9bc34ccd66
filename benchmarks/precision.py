"""Searches in bfloat16 against the same in float32: how near the failures are that they find.

Every decision is made in float32, so that what is found is a failure in any case. A search that finds a farther one
makes a network look more robust than it is. Nothing is timed here; the benchmarks of attacks time both.
"""

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks import photographs
from benchmarks.networks import nursery
from benchmarks.timing import record
from pellucid import metrics
from pellucid.attacks import Engine, Misclassified
from pellucid.audits.searches import nearest
from pellucid.batch import Batch
from pellucid.subjects import Asked

ENGINES = {"float32": Engine(), "bfloat16": Engine("bf16-mixed")}
STEPS = 40


def run(rounds: int, images: int = 16) -> None:
    """Nearest failures as `quick` looks for them, on networks from 8 to 224 pixels; `rounds` is of no use."""
    found: dict[str, Any] = {}
    for kind in ("digits", "mnist", "cifar"):
        for name, (model, x, y) in nursery(images, kind).items():
            found[name] = _compared(model, x, y)
            _tell(name, found)
    with tempfile.TemporaryDirectory() as folder:
        place = photographs.write(Path(folder))
        asked = Asked("benchmarks.photographs:efficientnet_lite", str(place), map=str(place.parent / "map.csv"))
        subject = asked.subject()
        (batch,) = subject.split.batches([torch.arange(images)])
    found["efficientnet-lite0"] = _compared(subject.model, batch.x, batch.y)
    _tell("efficientnet-lite0", found)


def _tell(name: str, found: dict[str, Any]) -> None:
    print(name, found[name], flush=True)
    record("precision", {"steps": STEPS, "networks": found})


def _compared(model: nn.Module, x: Tensor, y: Tensor) -> dict[str, Any]:
    """The area, and the distance of each image that was right and was broken by both, one divided by the other."""
    attack = nearest(Misclassified(), STEPS)
    batch = Batch.trusted(x, y, {"index": torch.arange(len(x))})
    last = {name: attack.on(model, batch, engine=engine) for name, engine in ENGINES.items()}
    one, other = last["float32"], last["bfloat16"]
    both = one.reached & other.reached & ~one.reached_at_start
    farther = other.distance[both] / one.distance[both]
    with torch.no_grad():
        classes = model(x[:1]).shape[1]
    areas = {
        name: metrics.area(each.distance.where(each.reached, torch.inf), classes=classes).value
        for name, each in last.items()
    }
    return {
        "images": len(x),
        "tried": int(both.sum()),
        "area": areas["float32"],
        "area_in_bfloat16": areas["bfloat16"],
        "times_as_far": float(farther.median()) if len(farther) else None,
        "at_most": float(farther.max()) if len(farther) else None,
        "only_in_float32": int((one.reached & ~other.reached).sum()),
    }
