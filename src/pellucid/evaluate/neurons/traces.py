"""Which neurons predictions rest on, for real images and for attacked ones."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pellucid import config
from pellucid.attacks import Attack
from pellucid.batch import Batch
from pellucid.data import Split
from pellucid.evaluate.neurons.activations import column_of, described
from pellucid.evaluate.neurons.attacked import Towards
from pellucid.evaluate.neurons.chunks import Stage, examinable, in_chunks
from pellucid.evaluate.neurons.differences import prediction_differences
from pellucid.ledger import Table, check_unchanged, fingerprint
from pellucid.probe import Probe, frozen


def traces(
    model: nn.Module,
    split: Split,
    layers: Sequence[str],
    attack: Attack | None = None,
    *,
    targets: int = 9,
    seed: int = 0,
    batch: int = 128,
    folder: Path | None = None,
    watch: Callable[[Stage], None] = lambda _: None,
) -> Table:
    """A row per image, and with an `attack` one more for the image led to its first target.

    Under `at LAYER` is how much of the prediction's probability goes without each neuron. `attacked` tells rows
    apart, and `counted` says where the attack succeeded; real images count.
    """
    towards = None if attack is None else Towards(attack, targets, seed)
    about: dict[str, Any] = described(model, split, layers, "max") | {"traces": True, "seed": seed}
    if attack is not None:
        about |= {"attack": config.dump(attack), "targets": min(targets, len(split.classes) - 1)}
    model = examinable(model, split)
    looked_at = fingerprint(model)  # of a copy in float32, where the network is in half precision

    def columns(images: Batch) -> Mapping[str, Tensor]:
        yes = torch.ones_like(images.y, dtype=torch.bool)
        parts = [_traced(model, images, layers, ~yes, yes)]
        if towards is not None:
            # the same targets and random numbers as among activations, so the same images
            found = towards.led(model, images, towards.of(images, len(split.classes))[:, 0], 0)
            parts.append(_traced(model, found.images, layers, yes, found.counted))
        check_unchanged(model, looked_at)
        return {name: torch.stack([part[name] for part in parts], 1).flatten(0, 1) for name in parts[0]}

    return in_chunks("traces", split, columns, about, batch=batch, folder=folder, watch=watch)


def _traced(
    model: nn.Module, images: Batch, layers: Sequence[str], attacked: Tensor, counted: Tensor
) -> dict[str, Tensor]:
    with frozen(model), torch.no_grad():
        predicted = Probe(model, images, second_order=False).logits.argmax(1)
    found = {column_of(layer): prediction_differences(model, images, layer, predicted) for layer in layers}
    about = {"index": images.index, "y": images.y, "predicted": predicted, "attacked": attacked, "counted": counted}
    return about | found
