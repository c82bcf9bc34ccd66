"""What an attack on explanations wants of a map."""

from abc import ABC, abstractmethod
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor

from pellucid.batch import Batch

Planes = Float[Tensor, "b h w"]


class Aim(ABC):
    """A loss of the map now, lower where it is more as wanted. Final classes are frozen dataclasses in `AIMS`.

    Maps have one value per place, of which the largest absolute one is 1. What they are compared with, the
    `reference`, is the map of the image as it was. `sloping` says whether the loss has a slope at that map itself; a
    search whose loss has none there starts elsewhere. `needed` names the columns that images must have.
    """

    registry: ClassVar[str] = "pellucid.attacks.explanations:AIMS"
    sloping: ClassVar[bool] = True

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return ()

    def reference(self, clean: Planes, batch: Batch) -> Float[Tensor, "b ..."]:
        """What maps are compared with: (b, h, w), or (b, c, h, w) for what is to become planes first."""
        return clean

    @abstractmethod
    def loss(self, now: Planes, reference: Planes) -> Float[Tensor, " b"]:
        """One number per image. Gradients flow to `now`."""


class TowardsMap(Aim):
    """An aim that knows the map that it wants: the sum of squared differences from it."""

    @abstractmethod
    def reference(self, clean: Planes, batch: Batch) -> Float[Tensor, "b ..."]:
        """The map that is wanted."""

    @final
    def loss(self, now: Planes, reference: Planes) -> Float[Tensor, " b"]:
        """The squared differences between each image's map and the one wanted, summed over all places."""
        return (now - reference).square().sum((1, 2))
