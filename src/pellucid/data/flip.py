"""Images mirrored left and right."""

from dataclasses import dataclass
from typing import final

import torch

from pellucid.batch import Batch
from pellucid.data.augmentation import Augmentation, moved
from pellucid.errors import ConfigError
from pellucid.randomness import Noise


@final
@dataclass(frozen=True)
class Flip(Augmentation):
    """Mirror left and right, with a probability."""

    probability: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ConfigError(f"flip has the probability {self.probability}; give one from 0 to 1")

    def __call__(self, batch: Batch, noise: Noise) -> Batch:
        """The batch with some images mirrored."""
        chosen = noise.stream("flip").uniform() < self.probability
        return moved(batch, lambda planes: torch.where(chosen[:, None, None, None], planes.flip(-1), planes))
