"""Grad-CAM++: a layer's features, weighted by slopes that count more where they are rare."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from torch import Tensor

from pellucid.explainers.explainer import Classes, Explainer, Images
from pellucid.explainers.explanation import Remark
from pellucid.explainers.feature_layer import Weighed, weighed, widened
from pellucid.papers import cites
from pellucid.probe import Probe


@cites(
    "Chattopadhay, Sarkar, Howlader and Balasubramanian, Grad-CAM++: generalized gradient-based visual "
    "explanations for deep convolutional networks, WACV 2018. arXiv 1710.11063"
)
@final
@dataclass(frozen=True)
class GradCAMPlusPlus(Explainer):
    """Grad-CAM whose places each have a weight of their own (Chattopadhay et al. 2018), by the closed form.

    It stands for the exponential of the logit and takes the logit for linear in the features. The exponential itself,
    one factor for the whole map, is left out. Settings are those of `GradCAM`.
    """

    layer: str = ""
    positive: bool = True

    @property
    def signed(self) -> bool:
        """Whether maps have a sign: not if `positive` keeps only what speaks for the class."""
        return not self.positive

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The weighed activations of the layer: one map for all channels, brought to the size of the image."""
        summed = self._weighed(probe, of).summed
        return widened(summed.relu() if self.positive else summed, probe.x)

    def remarks(self, probe: Probe, of: Classes, found: Images) -> Sequence[Remark]:
        """What has to be known of a map: that nothing is left of it, for instance."""
        return self._weighed(probe, of).remarks(self.positive)

    def _weighed(self, probe: Probe, of: Classes) -> Weighed:
        return weighed("GradCAMPlusPlus", probe, of, self.layer, _weights)


def _weights(features: Tensor, gradient: Tensor) -> Tensor:
    """The published weight of a place is g² / (2g² + Σ A · g³), times the slope g where that is positive.

    There g² cancels; where the slope is not positive its own factor is zero.
    """
    slope = gradient.relu()
    total = features.sum((2, 3), keepdim=True)
    return (slope / (2 + total * slope)).sum((2, 3), keepdim=True)
