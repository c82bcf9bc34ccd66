"""How long, how fast and with what care a network is trained, whatever it is trained for."""

import math
from dataclasses import dataclass, field
from typing import Literal

from pellucid.data import Augmentation
from pellucid.errors import ConfigError
from pellucid.train.optimizers import AdamW, Optimizer
from pellucid.train.schedules import CosineSchedule, Schedule
from pellucid.train.watch import Watch


@dataclass(frozen=True)
class Recipe:
    """The settings of a training.

    `batch` is the global batch: with several processes each takes its share. `clip` bounds the length of the
    parameter gradient, `average` is the decay of an exponential moving average of the weights, which then is what is
    validated and kept, and `patience` ends training after so many epochs without a better validation accuracy; each
    is off at 0. `validation` is the share of the training images held out for that and for `keep="best"`. `watch`
    attacks a few images after each epoch, to notice when robustness collapses.
    """

    epochs: int = 10
    # under these every listed network learns the digits in ten epochs; `docs/recipes.md` has the figures
    batch: int = 64
    optimizer: Optimizer = field(default_factory=lambda: AdamW(lr=3e-3))
    schedule: Schedule = field(default_factory=lambda: CosineSchedule(warmup=0.1))
    augment: tuple[Augmentation, ...] = ()
    clip: float = 0.0
    average: float = 0.0
    validation: float = 0.0
    keep: Literal["last", "best"] = "last"
    patience: int = 0
    watch: Watch = field(default_factory=Watch)

    def __post_init__(self) -> None:
        for name in ("epochs", "batch"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be at least 1")
        for name in ("clip", "patience"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must not be negative (0 turns it off)")
        for name in ("average", "validation"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must lie in [0, 1) (0 turns it off)")
