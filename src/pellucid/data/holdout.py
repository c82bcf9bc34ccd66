"""Setting images aside: at random, reproducibly, the same share of every class."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from pellucid.data.split import Split
from pellucid.errors import ConfigError, DataError
from pellucid.randomness import Noise, derive


def holdout(split: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """The split without about `fraction` of every class, and the images of that fraction.

    Of a class with two images or more, at least one ends up on each side; both sides keep the order of the images.
    """
    held = held_out(split.labels.cpu(), fraction, seed)
    if not held.any():
        raise DataError(f"none of these {len(split)} images can be held out: no class has two; add images")
    return split.take((~held).nonzero()[:, 0]), split.take(held.nonzero()[:, 0])


def held_out(labels: Int[Tensor, " n"], fraction: float, seed: int) -> Bool[Tensor, " n"]:
    """Which images `holdout` would hold out."""
    if not 0 < fraction < 1:
        raise ConfigError(f"a fraction of {fraction} cannot be held out; give one between 0 and 1")
    held = torch.zeros(len(labels), dtype=torch.bool)
    if not len(labels):
        return held
    draws = Noise(derive(seed, "holdout"), torch.arange(len(labels))).uniform(dtype=torch.float64)
    order = draws.argsort()
    order = order[labels[order].argsort(stable=True)]  # by class, shuffled within each
    for members in order.split(labels.bincount().tolist()):
        count = min(max(round(fraction * len(members)), 1), len(members) - 1)
        held[members[: max(count, 0)]] = True
    return held
