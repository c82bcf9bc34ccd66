"""The shapes that parts of different floors have in common."""

from typing import ClassVar, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from pellucid.randomness import Noise


@runtime_checkable
class Norm(Protocol):
    """A ruler for perturbations, one length per image."""

    registry: ClassVar[str] = "pellucid.norms:NORMS"

    def size(self, delta: Float[Tensor, "b *shape"]) -> Float[Tensor, " b"]:
        """The length of each perturbation."""
        ...

    def project(
        self, delta: Float[Tensor, "b *shape"], eps: float | Float[Tensor, " b"]
    ) -> Float[Tensor, "b *shape"]:
        """The nearest perturbation no longer than `eps`."""
        ...

    def steepest(self, gradient: Float[Tensor, "b *shape"]) -> Float[Tensor, "b *shape"]:
        """The perturbation of length 1 along which a linear function with this gradient rises most."""
        ...

    def random(
        self, like: Float[Tensor, "b *shape"], eps: float | Float[Tensor, " b"], noise: Noise
    ) -> Float[Tensor, "b *shape"]:
        """A random perturbation no longer than `eps`, uniform in the ball."""
        ...
