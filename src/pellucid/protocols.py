"""The shapes that parts of different floors have in common."""

from typing import Any, ClassVar, Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor, nn

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

    def on_surface(
        self, delta: Float[Tensor, "b *shape"], eps: float | Float[Tensor, " b"]
    ) -> Float[Tensor, "b *shape"]:
        """The perturbation in the same direction that is as long as `eps`; zero has no direction, and stays."""
        ...

    def steepest(self, gradient: Float[Tensor, "b *shape"]) -> Float[Tensor, "b *shape"]:
        """The perturbation of length 1 along which a linear function with this gradient rises most."""
        ...

    def random(
        self, like: Float[Tensor, "b *shape"], eps: float | Float[Tensor, " b"], noise: Noise
    ) -> Float[Tensor, "b *shape"]:
        """A random perturbation no longer than `eps`, uniform in the ball."""
        ...


@runtime_checkable
class ExplainedImages(Protocol):
    """What an explainer says: a map for each image, and the class that it is about."""

    @property
    def map(self) -> Float[Tensor, "b *shape"]:
        """A value for each pixel of each channel."""
        ...

    @property
    def of(self) -> Int[Tensor, " b"]:
        """The class of each image."""
        ...


@runtime_checkable
class Explains(Protocol):
    """A way to make maps."""

    registry: ClassVar[str] = "pellucid.explainers:EXPLAINERS"

    @property
    def differentiable(self) -> bool:
        """Whether maps can be differentiated for pixels."""
        ...

    def on(
        self,
        model: nn.Module,
        batch: Any,
        of: int | Tensor | str = "label",
        *,
        seed: int = 0,
        create_graph: bool = False,
        memory: int | None = None,
    ) -> ExplainedImages:
        """Explain a batch of images, about the class that is asked for."""
        ...
