"""Maps that say nothing."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.data import Split
from pellucid.randomness import Noise, derive
from pellucid.train.references.reference import Reference
from pellucid.train.references.treatment import check_treatment, thresholded

_CHUNK = 1024  # random words are wider than the numbers that come of them


@final
@dataclass(frozen=True)
class RandomMaps(Reference):
    """Standard normal noise for each image: the control that any reference has to beat."""

    seed: int = 0
    threshold: float = 0.0

    def __post_init__(self) -> None:
        check_treatment(self.threshold, 0.0, "RandomMaps")

    def maps(self, split: Split, seed: int = 0) -> Float[Tensor, "n *shape"]:
        """The same maps for any seed of the run, so that runs with other seeds have the same control."""
        chunks = torch.arange(len(split)).split(_CHUNK)
        noise = derive(self.seed, "random-maps")
        drawn = torch.cat([Noise(noise, rows).normal(*split.shape) for rows in chunks])
        return thresholded(drawn, self.threshold) if self.threshold else drawn
