"""The size of the Hessian from pixels to a logit or the loss."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from pellucid.autograd import processes
from pellucid.errors import ConfigError
from pellucid.objectives.gradients import Units, factor
from pellucid.objectives.objective import Term
from pellucid.papers import JOO, cites
from pellucid.probe import Probe, Quantity


@cites(JOO)
@dataclass(frozen=True)
class HessianNorm(Term):
    """The squared Frobenius norm of the images' Hessians, estimated by products with random vectors.

    The estimate of Hutchinson is without bias for any number of `probes`, and noisy for few. Training on it takes
    third derivatives. `units` says what it is differentiated for: pixels from 0 to 1, or those that the network has
    normalized.
    """

    probes: int = 1
    of: Quantity = "label-logit"
    units: Units = "pixels"

    def __post_init__(self) -> None:
        if self.probes < 1:
            raise ConfigError(f"probes is {self.probes}; it must be at least 1")

    @property
    def third_order(self) -> bool:
        """Whether the term differentiates a curvature: it does, that of the Hessian."""
        return True

    @property
    def needs_curvature(self) -> bool:
        """Whether the logits have to bend: that of the label does; the loss bends over logits that do not."""
        return self.of == "label-logit"

    def __call__(self, probe: Probe) -> Float[Tensor, ""]:
        """The mean over images and probes."""
        scale = factor(probe, self.units)
        vectors = scale * probe.noise.stream("hessian-norm").normal(
            self.probes, *probe.x.shape[1:], dtype=probe.x.dtype
        )
        total = (scale * probe.curvature(vectors[:, 0], self.of)).flatten(1).square().sum(1)
        for number in range(1, self.probes):
            total = total + (scale * probe.curvature(vectors[:, number], self.of)).flatten(1).square().sum(1)
        return processes.mean(total) / self.probes
