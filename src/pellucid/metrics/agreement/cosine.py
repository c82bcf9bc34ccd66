"""The cosine of two maps."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from pellucid.metrics.agreement.pearson import angle
from pellucid.metrics.agreement.similarity import Planes, Similarity


@dataclass(frozen=True)
class Cosine(Similarity):
    """The angle between maps taken as vectors; two maps that are never negative are rarely far apart by it."""

    undefined: ClassVar[str] = "a map is zero"

    def compare(self, these: Planes, those: Planes) -> Float[Tensor, " b"]:
        """NaN where either map is zero everywhere."""
        first, second = these.flatten(1), those.flatten(1)
        return angle(first, second, (first != 0).any(1) & (second != 0).any(1))
