"""Grad-CAM: a layer's features, weighted by the mean slope of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from pellucid.explainers.explainer import Classes, Explainer, Images
from pellucid.explainers.explanation import Remark
from pellucid.explainers.feature_layer import Weighed, weighed, widened
from pellucid.papers import cites
from pellucid.probe import Probe


@cites(
    "Selvaraju, Cogswell, Das, Vedantam, Parikh and Batra, Grad-CAM: visual explanations from deep networks "
    "via gradient-based localization, ICCV 2017. arXiv 1610.02391"
)
@final
@dataclass(frozen=True)
class GradCAM(Explainer):
    """The features of a layer, each weighted by the logit's mean gradient over its map (Selvaraju et al. 2017).

    Without a name it is the last layer that puts out a map. `positive` keeps only what speaks for the class, as
    published. A layer that is used several times counts by its last use.
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
        return weighed("GradCAM", probe, of, self.layer, lambda _, slope: slope.mean((2, 3), keepdim=True))
