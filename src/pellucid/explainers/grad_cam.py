"""Grad-CAM: a layer's features, weighted by the mean slope of each."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.explainers.explainer import Classes, Explainer, Images
from pellucid.explainers.explanation import Remark
from pellucid.explainers.feature_layer import at_image_size, feature_layers
from pellucid.explainers.rounding import ROUNDED, rounding
from pellucid.papers import cites
from pellucid.probe import Probe

_ROUNDING = 16  # units in the last place of the sum of a place's magnitudes


@dataclass(frozen=True)
class WeighedFeatures(Explainer):
    """The features of a layer, each times its weight for the class, added up; settings are those of `GradCAM`."""

    layer: str = ""
    positive: bool = True

    @abstractmethod
    def weights(self, features: Tensor, slope: Tensor) -> Tensor:
        """The weight of each feature, of which the slope is the logit's gradient for it."""

    @property
    def signed(self) -> bool:
        """Whether maps have a sign: not if `positive` keeps only what speaks for the class."""
        return not self.positive

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The weighed activations of the layer: one map for all channels, brought to the size of the image."""
        summed = self._weighed(probe, of).summed
        return at_image_size(summed.relu() if self.positive else summed, probe.x)

    def reads(self, probe: Probe, of: Classes) -> str:
        """The layer, and what it puts out for an image."""
        return self._weighed(probe, of).layer_in_words

    def remarks(self, probe: Probe, of: Classes, found: Images) -> Sequence[Remark]:
        """What has to be known of a map: that nothing is left of it, for instance."""
        weighed = self._weighed(probe, of)
        moved = weighed.magnitude.flatten(1).sum(1)
        below = (moved > 0) & (moved <= rounding(probe.logits, of)) & found.flatten(1).any(1)
        return [*weighed.remarks(self.positive), Remark(ROUNDED, below)]

    def _weighed(self, probe: Probe, of: Classes) -> "_Weighed":
        owner = type(self).__name__

        def make() -> tuple[_Weighed, Classes]:
            layers = feature_layers(owner, probe, self.layer)
            layer = next((one for one in layers if bool(one.slopes(of).detach().any())), layers[0])
            features = layer.features
            parts = self.weights(features, layer.slopes(of)) * features
            # kept alive, so that no other comes by its number
            return _Weighed(layer.name, layer.words, parts.sum(1), parts.abs().sum(1)), of

        return probe.shared((owner, self.layer, id(of)), make)[0]


@dataclass(frozen=True, eq=False)
class _Weighed:
    """A layer's features times their weights for the class, `summed` over channels, and so their magnitudes."""

    layer: str
    layer_in_words: str
    summed: Float[Tensor, "b h w"]
    magnitude: Float[Tensor, "b h w"]

    def remarks(self, positive: bool) -> list[Remark]:
        """Whether anything is left of a map, and whether what is left is more than rounding."""
        largest = self.magnitude.flatten(1).amax(1)
        rounding = _ROUNDING * torch.finfo(self.summed.dtype).eps * largest
        canceled = (self.summed.abs().flatten(1).amax(1) <= rounding) & (largest > 0)
        against = (self.summed <= 0).flatten(1).all(1) & ~canceled & (largest > 0) & positive
        found = [
            ("the map is zero everywhere: the class does not hang on the layer '{}'", largest == 0),
            ("the map is no more than rounding: for and against the class, features of '{}' cancel", canceled),
            (
                "the map is zero everywhere: nothing at the layer '{}' speaks for the class; "
                "what speaks against it is shown with positive=false",
                against,
            ),
        ]
        return [Remark(text.format(self.layer), about) for text, about in found]


@cites(
    "Selvaraju, Cogswell, Das, Vedantam, Parikh and Batra, Grad-CAM: visual explanations from deep networks "
    "via gradient-based localization, ICCV 2017. arXiv 1610.02391"
)
@final
@dataclass(frozen=True)
class GradCAM(WeighedFeatures):
    """The features of a layer, each weighted by the logit's mean gradient over its map (Selvaraju et al. 2017).

    Without a name it is the last layer that puts out a map. `positive` keeps only what speaks for the class, as
    published. A layer that is used several times counts by its last use.
    """

    def weights(self, features: Tensor, slope: Tensor) -> Tensor:
        """The mean slope of each map."""
        return slope.mean((2, 3), keepdim=True)
