"""Grad-CAM++: a layer's features, weighted by slopes that count more where they are rare."""

from dataclasses import dataclass
from typing import final

from torch import Tensor

from pellucid.explainers.grad_cam import WeighedFeatures
from pellucid.papers import cites


@cites(
    "Chattopadhay, Sarkar, Howlader and Balasubramanian, Grad-CAM++: generalized gradient-based visual "
    "explanations for deep convolutional networks, WACV 2018. arXiv 1710.11063"
)
@final
@dataclass(frozen=True)
class GradCAMPlusPlus(WeighedFeatures):
    """Grad-CAM whose places each have a weight of their own (Chattopadhay et al. 2018), by the closed form.

    It stands for the exponential of the logit and takes the logit for linear in the features. The exponential itself,
    one factor for the whole map, is left out. Settings are those of `GradCAM`.
    """

    def weights(self, features: Tensor, slope: Tensor) -> Tensor:
        """The published weight of a place is g² / (2g² + Σ A · g³), times the slope g where that is positive.

        There g² cancels; where the slope is not positive its own factor is zero.
        """
        rising = slope.relu()
        total = features.sum((2, 3), keepdim=True)
        return (rising / (2 + total * rising)).sum((2, 3), keepdim=True)
