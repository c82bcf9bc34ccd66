"""How the gradient of an image and that of its neighbor differ in direction."""

from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

from pellucid.autograd import processes
from pellucid.objectives.gradients import Units, cosine, factor
from pellucid.objectives.neighbors import Neighbor, UniformNeighbor
from pellucid.objectives.objective import Term
from pellucid.papers import JOO, cites
from pellucid.probe import BatchNorm, Probe


@cites(JOO)
@dataclass(frozen=True)
class LocalCosine(Term):
    """(1 - cosine) / 2 between gradients of the label's logit, at the image and at its neighbor: from 0 to 1.

    The part of Local Gradient Alignment (Joo et al. 2023) that does not change when the logits are scaled, as no
    explanation does. With `detach` the image's own gradient is a constant target, as published. Its `units` are those
    of the gradients: for pixels from 0 to 1, or for pixels as the network has normalized them, as published; the two
    differ only where channels have different deviations.
    """

    neighbor: Neighbor = field(default_factory=UniformNeighbor)
    detach: bool = True
    batch_norm: BatchNorm = "as-published"
    units: Units = "pixels"

    @property
    def needs_curvature(self) -> bool:
        """Whether the logits have to bend: where nothing does, neighboring gradients are equal already."""
        return True

    def __call__(self, probe: Probe) -> Float[Tensor, ""]:
        """The mean over images."""
        scale = factor(probe, self.units)
        here = scale * probe.gradient("label-logit", detached=self.detach)
        there = scale * self.neighbor.probe(probe, batch_norm=self.batch_norm).gradient("label-logit")
        return processes.mean((1 - cosine(here, there)) / 2)
