"""What a layer has seen, whatever the class."""

from dataclasses import dataclass
from typing import final

from pellucid.explainers.explainer import Classes, Explainer, Images
from pellucid.explainers.feature_layer import at_image_size, feature_layers
from pellucid.papers import cites
from pellucid.probe import Probe


@cites(
    "Zhou, Khosla, Lapedriza, Oliva and Torralba, Learning deep features for discriminative localization, "
    "CVPR 2016. arXiv 1512.04150"
)
@final
@dataclass(frozen=True)
class LayerActivation(Explainer):
    """The mean of a layer's features at each place; without a name it is the last layer that puts out a map.

    It is the same for every class: what a Grad-CAM has beyond it, the class has brought.
    """

    layer: str = ""

    @property
    def legend(self) -> str:
        """What the colors say: how active the layer is, since its activation is about no class."""
        return "red is where the layer is active, blue where it is below 0, whatever the class"

    def reads(self, probe: Probe, of: Classes) -> str:
        """The layer, and what it puts out for an image."""
        return feature_layers("LayerActivation", probe, self.layer)[0].words

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The mean activation of the layer: one map for all channels, brought to the size of the image."""
        layer = feature_layers("LayerActivation", probe, self.layer)[0]
        return at_image_size(layer.features.mean(1), probe.x)
