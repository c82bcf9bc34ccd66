"""Away from the map as it was."""

from dataclasses import dataclass, field
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attacks.explanations.aim import Aim, Planes
from pellucid.errors import ConfigError
from pellucid.metrics.agreement import Pearson, Similarity


@final
@dataclass(frozen=True)
class Decorrelate(Aim):
    """A map as little like the one before as it gets, by any similarity that can be differentiated."""

    similarity: Similarity = field(default_factory=Pearson)
    sloping: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.similarity.differentiable:
            raise ConfigError(
                f"decorrelate has a similarity of {type(self.similarity).__name__}, which steps where it changes and "
                "has no slope; take Pearson or Cosine"
            )

    def loss(self, now: Planes, reference: Planes) -> Float[Tensor, " b"]:
        """The similarity; 1 where a map has none: one that says nothing is no success."""
        found = self.similarity(now, reference)
        return torch.where(found.isnan(), 1, found)
