"""Grad-CAM++: a layer's features, weighted by slopes that count more where they are rare."""

from dataclasses import dataclass
from typing import final

from pellucid.explain.explainer import Classes, Explainer, Images
from pellucid.explain.feature_layer import at_layer, widened
from pellucid.probe import Probe


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
        """Not where only what speaks for the class is kept."""
        return not self.positive

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """One map for all channels, brought to the size of the image."""
        recorded, name = at_layer("GradCAMPlusPlus", probe, self.layer)
        features = recorded.features(name)
        # The published weight of a place is g² / (2g² + Σ A · g³), times the slope g where that is positive. There
        # g² cancels; where the slope is not positive its own factor is zero.
        slope = recorded.feature_gradient(name, of).relu()
        total = features.sum((2, 3), keepdim=True)
        weights = (slope / (2 + total * slope)).sum((2, 3), keepdim=True)
        summed = (weights * features).sum(1)
        return widened(summed.relu() if self.positive else summed, probe.x)
