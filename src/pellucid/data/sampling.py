"""A smaller split that stands for a larger one."""

import torch

from pellucid.data.split import Split
from pellucid.errors import ConfigError
from pellucid.randomness import Noise, derive


def sample(split: Split, n: int, *, seed: int = 0) -> Split:
    """`n` images drawn at random, in the order of the split: the first ones may all be of one class."""
    if n < 1:
        raise ConfigError(f"n is {n}; measure on 1 image or more")
    if n >= len(split):
        return split
    draws = Noise(derive(seed, "sample"), torch.arange(len(split))).uniform(dtype=torch.float64)
    return split.take(draws.argsort()[:n].sort().values)
