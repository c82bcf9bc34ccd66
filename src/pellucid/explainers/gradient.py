"""The plain gradient."""

from dataclasses import dataclass
from typing import final

from torch import Tensor

from pellucid.explainers.explainer import Classes, Explainer, Images, summed
from pellucid.papers import cites
from pellucid.probe import Probe


@cites(
    "Simonyan, Vedaldi and Zisserman, Deep Inside Convolutional Networks: Visualizing Image Classification "
    "Models and Saliency Maps, ICLR workshop 2014. arXiv 1312.6034"
)
@final
@dataclass(frozen=True)
class Gradient(Explainer):
    """How fast the class's logit rises with each pixel (Simonyan et al. 2014): signed, every channel its own."""

    @property
    def legend(self) -> str:
        """A gradient says which way to change a pixel, not what is there."""
        return "where it is red a brighter pixel would raise the class's logit, where it is blue a darker one"

    def reach(self, found: Images) -> Tensor:
        """The sum of its magnitudes."""
        return summed(found)

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The gradient of the logit, not of the probability: that vanishes where the network is sure."""
        return probe.gradient(of)
