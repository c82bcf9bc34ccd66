"""Gradients that equal reference maps."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from pellucid.objectives.gradient_norm import Reduction, reduced
from pellucid.objectives.gradients import reference_map
from pellucid.objectives.objective import Term
from pellucid.papers import NOACK, cites
from pellucid.probe import Probe


@cites(NOACK)
@dataclass(frozen=True)
class GradientMatch(Term):
    """The distance between the images' gradients of their label's logit and their reference maps.

    The earlier form of Interpretation Regularization (Noack et al. 2021, in its first versions) compared absolute
    gradients with maps that have no negative entries, by `reduction="batch"`: one length for the whole batch, which
    grows with the root of its size. Other reductions are those of `GradientNorm`.
    """

    reference: str = "reference"
    absolute: bool = True
    reduction: Reduction = "rms"

    def __call__(self, probe: Probe) -> Float[Tensor, ""]:
        """The length of the difference, reduced over the global batch."""
        target = reference_map(probe, self.reference)
        gradient = probe.gradient("label-logit")
        return reduced((gradient.abs() if self.absolute else gradient) - target, self.reduction)
