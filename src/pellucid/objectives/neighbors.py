"""Where an image's neighbor lies: the second point that Local Gradient Alignment (Joo et al. 2023) looks at.

Budgets are in [0, 1] pixel units, since our networks normalize inside: the published e, in steps of 8-bit pixels, is
e/255 here, whatever the deviation of a channel. The published neighbors may leave [0, 1]; `clip` keeps them in it.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.norms import L2
from pellucid.probe import BatchNorm, Probe

_FARTHEST = 1000.0  # in l2: from one corner of a million pixels to the other


class Neighbor(ABC):
    """A point near each image, the same for all terms that name an equal neighbor at one step."""

    registry: ClassVar[str] = "pellucid.objectives:NEIGHBORS"
    eps: float
    clip: bool

    def probe(self, here: Probe, *, batch_norm: BatchNorm = "as-published") -> Probe:
        """The probe at the neighbors, which no gradient flows back from to `here`."""
        return here.shared((self, batch_norm), lambda: here.at(self.points(here), batch_norm=batch_norm))

    def points(self, here: Probe) -> Float[Tensor, "b *shape"]:
        """The neighbor of each image."""
        x = here.x.detach() + self.eps * self.step(here)
        return x.clamp(0, 1) if self.clip else x

    @abstractmethod
    def step(self, here: Probe) -> Float[Tensor, "b *shape"]:
        """The way to the neighbor, for an `eps` of 1."""


@dataclass(frozen=True)
class UniformNeighbor(Neighbor):
    """Each pixel moved by a draw of its own, uniform in [-eps, eps]; what was published."""

    eps: float = 4 / 255
    clip: bool = False

    def __post_init__(self) -> None:
        _check(self.eps)

    def step(self, here: Probe) -> Float[Tensor, "b *shape"]:
        """A step that is uniform in [-1, 1) at every pixel."""
        return 2 * here.noise.stream("neighbour").uniform(*here.x.shape[1:], dtype=here.x.dtype) - 1


@dataclass(frozen=True)
class GaussianNeighbor(Neighbor):
    """Each pixel moved by a draw of its own, normal with the deviation eps."""

    eps: float = 4 / 255
    clip: bool = False

    def __post_init__(self) -> None:
        _check(self.eps)

    def step(self, here: Probe) -> Float[Tensor, "b *shape"]:
        """A step that is standard normal at every pixel."""
        return here.noise.stream("neighbour").normal(*here.x.shape[1:], dtype=here.x.dtype)


@dataclass(frozen=True)
class GradientNeighbor(Neighbor):
    """One step of length eps up the gradient of the label's logit.

    Its length is measured in l2, or, with `sign`, in l-infinity: each pixel moves by eps along the gradient's sign.
    The published code divides that sign by its l2 norm too, so that a pixel moves by eps over the root of the number
    of pixels; `compat` does the same.
    """

    eps: float = 4 / 255
    sign: bool = False
    compat: bool = False
    clip: bool = False

    def __post_init__(self) -> None:
        _check(self.eps, 1.0 if self.sign else _FARTHEST)
        if self.compat and not self.sign:
            raise ConfigError("compat concerns the step along the sign alone; set sign too, or leave compat out")

    def step(self, here: Probe) -> Float[Tensor, "b *shape"]:
        """The gradient, or its sign, at unit length; a gradient of zero goes nowhere."""
        gradient = here.gradient("label-logit", detached=True)
        if self.sign:
            gradient = gradient.sign()
        return gradient if self.sign and not self.compat else L2().steepest(gradient)


def _check(eps: float, most: float = 1.0) -> None:
    if not 0 < eps <= most:
        raise ConfigError(f"eps is {eps}; a neighbor lies at a distance above 0, in [0, 1] pixel units")
