"""How far the gradient of an image is from that of its neighbor."""

from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

from pellucid.autograd import processes
from pellucid.objectives.gradients import Units, factor
from pellucid.objectives.neighbors import Neighbor, UniformNeighbor
from pellucid.objectives.objective import Term
from pellucid.papers import JOO, cites
from pellucid.probe import BatchNorm, Probe


@cites(JOO)
@dataclass(frozen=True)
class LocalDistance(Term):
    """The squared l2 distance between gradients of the label's logit, at the image and at its neighbor.

    One of the two parts of Local Gradient Alignment (Joo et al. 2023). With `detach` the image's own gradient is a
    constant target, as published. The distance grows with the logits: scaling them by a scales it by a squared, and
    changes no explanation. So it says nothing about one network compared with another; `LocalCosine` does.
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
        """The mean over images of the sum over pixels."""
        scale = factor(probe, self.units)
        here = scale * probe.gradient("label-logit", detached=self.detach)
        there = scale * self.neighbor.probe(probe, batch_norm=self.batch_norm).gradient("label-logit")
        return processes.mean((here - there).flatten(1).square().sum(1))
