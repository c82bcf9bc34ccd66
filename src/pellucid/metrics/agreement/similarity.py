"""What every similarity of maps is: a frozen value that compares two maps of one value per place."""

from abc import ABC, abstractmethod
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor

from pellucid.metrics.agreement.planar import scaled

Planes = Float[Tensor, "b h w"]


class Similarity(ABC):
    """A way to compare maps. 1 is for maps that agree; final classes are frozen dataclasses in `SIMILARITIES`.

    What either map is multiplied by does not matter: explanations say which pixels count more than others, and their
    lengths are the network's.
    """

    registry: ClassVar[str] = "pellucid.metrics.agreement:SIMILARITIES"
    low: ClassVar[float] = -1.0
    undefined: ClassVar[str] = "a map is constant"
    differentiable: ClassVar[bool] = True

    @final
    def __call__(self, these: Planes, those: Planes) -> Float[Tensor, " b"]:
        """How alike the maps of each image are; NaN where `undefined` holds. Gradients flow where there are any."""
        return self.compare(scaled(these), scaled(those))

    @abstractmethod
    def compare(self, these: Planes, those: Planes) -> Float[Tensor, " b"]:
        """The same of maps as they are given; a call divides each by its largest absolute value first."""
