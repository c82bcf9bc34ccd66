"""What the neurons of some layers say of every image."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.attacks.victim import usable
from pellucid.batch import Batch
from pellucid.data import Split
from pellucid.errors import MeasurementError, ShapeError
from pellucid.kinds import in_single
from pellucid.ledger import (
    Job,
    Table,
    by_images,
    check_unchanged,
    fingerprint,
    in_chunks,
    stored,
)
from pellucid.probe import Probe, frozen

Pool = Literal["max", "mean"]
"""What one number stands for a channel's map: its largest value, or its mean."""


def activations(
    model: nn.Module,
    split: Split,
    layers: Sequence[str],
    *,
    pool: Pool = "max",
    folder: Path | None = None,
    job: Job = Job(),
) -> Table:
    """A row per image: its number, label, prediction, and under `at LAYER` what each neuron of that layer says.

    A neuron is a unit, or a channel of a map, of which `pool` makes one number.
    """
    about = observing_description(model, split, layers, pool)
    model = examinable(model, split)
    looked_at = fingerprint(model)  # of a copy in float32, where the network is in half precision

    def columns(images: Batch) -> Mapping[str, Tensor]:
        logits, found = looked(model, images, layers, pool)
        check_unchanged(model, looked_at)
        return {"index": images.index, "y": images.y, "predicted": logits.argmax(1), **found}

    store = stored(folder, Table, about, job)
    return in_chunks(store, by_images(split, columns), rows=len(split), doing="activations", job=job)


def examinable(model: nn.Module, split: Split) -> nn.Module:
    """The network to look into, in float32 as its images are."""
    if not len(split):
        raise MeasurementError("this split has no images; examine one or more")
    (first,) = split.batches([torch.arange(1)])
    return in_single(model, first.x)


def looked(
    model: nn.Module, images: Batch, layers: Sequence[str], pool: Pool
) -> tuple[Float[Tensor, "b classes"], dict[str, Tensor]]:
    """The logits, and what each layer's neurons say, by their columns."""
    with frozen(model), torch.no_grad():
        probe = Probe(model, images, second_order=False, layers=layers)
        logits = usable(probe.logits, "telling what neurons stand for")
        return logits, {column_of(layer): pooled(probe.features(layer), layer, pool) for layer in layers}


def pooled(features: Float[Tensor, "b ..."], layer: str, pool: Pool) -> Float[Tensor, "b neurons"]:
    """One number for each neuron: channels lie along the second axis."""
    if features.dim() < 2:
        raise ShapeError(f"the layer '{layer}' puts out one number per image; it has no neurons to tell apart")
    maps = features.flatten(2) if features.dim() > 2 else features[:, :, None]
    return maps.amax(2) if pool == "max" else maps.mean(2)


def column_of(layer: str) -> str:
    """What a layer's column is called."""
    return f"at {layer}"


def observing_description(model: nn.Module, split: Split, layers: Sequence[str], pool: Pool) -> dict[str, Any]:
    """Everything that activations depend on."""
    return {
        "layers": list(layers),
        "pool": pool,
        "images": len(split),
        "data": split.fingerprint(),
        "model": fingerprint(model),
    }
