"""Squared gradients averaged over noisy copies of the image."""

from dataclasses import dataclass
from typing import final

from pellucid.explainers.explainer import Classes, Explainer, Images
from pellucid.explainers.gradient import Gradient
from pellucid.explainers.smooth import Smooth, check_noise
from pellucid.probe import Probe


@final
@dataclass(frozen=True)
class SmoothGradSquared(Explainer):
    """The mean square of the gradient of the class's logit over `samples` noisy copies (Hooker et al. 2019).

    As in SmoothGrad's published code, whose default it is, the noise, normal with the deviation `sigma` in [0, 1]
    pixel units, may leave [0, 1], and the image itself is no copy.
    """

    samples: int = 25
    sigma: float = 0.15

    def __post_init__(self) -> None:
        check_noise("SmoothGradSquared", self.samples, self.sigma)

    @property
    def signed(self) -> bool:
        """A square has no sign."""
        return False

    @property
    def random(self) -> bool:
        """Only without noise it is not."""
        return self.sigma > 0

    @property
    def legend(self) -> str:
        """How large it is."""
        return "purple has no sign: the darker, the steeper the class's logit near the image"

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The mean square over all copies."""
        return Smooth(Gradient(), self.samples, self.sigma, statistic="mean-square").maps(probe, of, rows)
