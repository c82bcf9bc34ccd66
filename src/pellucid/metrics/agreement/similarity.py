"""What every similarity of maps is: a frozen value that compares two maps of one value per place."""

from abc import ABC, abstractmethod
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

Planes = Float[Tensor, "b h w"]


class Similarity(ABC):
    """A way to compare maps. 1 is for maps that agree; final classes are frozen dataclasses in `SIMILARITIES`."""

    registry: ClassVar[str] = "pellucid.metrics.agreement:SIMILARITIES"
    low: ClassVar[float] = -1.0
    undefined: ClassVar[str] = "a map is constant"
    differentiable: ClassVar[bool] = True

    @abstractmethod
    def __call__(self, these: Planes, those: Planes) -> Float[Tensor, " b"]:
        """How alike the maps of each image are; NaN where `undefined` holds. Gradients flow where there are any."""
