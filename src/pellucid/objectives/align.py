"""Gradients that point where reference maps point."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from pellucid.autograd import processes
from pellucid.objectives.gradients import cosine, reference_map
from pellucid.objectives.objective import Term
from pellucid.papers import NOACK, RODRIGUEZ, cites
from pellucid.probe import Probe, Quantity


@cites(NOACK, RODRIGUEZ)
@dataclass(frozen=True)
class Align(Term):
    """One less the mean cosine between an image's gradient and its reference map, from 0 to 2.

    The direction term of Interpretation Regularization (Noack et al. 2021) and, with maps of edges, that of edge
    regularization (Rodriguez-Munoz et al. 2024). Both are vectors of all channels and
    pixels; lengths do not matter. With `absolute` the gradient loses its signs first, for maps that have none. Where
    the map or the gradient is zero all over there is no direction: the cosine counts as 0, and nothing is learned.
    """

    reference: str = "reference"
    absolute: bool = False
    of: Quantity = "label-logit"

    def __call__(self, probe: Probe) -> Float[Tensor, ""]:
        """The mean over images."""
        target = reference_map(probe, self.reference)
        gradient = probe.gradient(self.of)
        return processes.mean(1 - cosine(gradient.abs() if self.absolute else gradient, target))
