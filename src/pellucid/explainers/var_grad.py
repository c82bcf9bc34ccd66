"""How much gradients vary over noisy copies of the image."""

from dataclasses import dataclass
from typing import final

from pellucid.explainers.explainer import Classes, Explainer, Images
from pellucid.explainers.gradient import Gradient
from pellucid.explainers.smooth import Smooth, check_noise
from pellucid.probe import Probe


@final
@dataclass(frozen=True)
class VarGrad(Explainer):
    """The variance of the gradient of the class's logit over `samples` noisy copies (Adebayo et al. 2018).

    It is the mean squared distance from the mean, so that one sample has none. As in SmoothGrad's published code the
    noise, normal with the deviation `sigma` in [0, 1] pixel units, may leave [0, 1], and the image itself is no copy.
    """

    samples: int = 25
    sigma: float = 0.15

    def __post_init__(self) -> None:
        check_noise("VarGrad", self.samples, self.sigma)

    @property
    def signed(self) -> bool:
        """A variance has no sign."""
        return False

    @property
    def random(self) -> bool:
        """Only without noise it is not."""
        return self.sigma > 0

    @property
    def legend(self) -> str:
        """How large it is."""
        return "purple has no sign: the darker, the more the gradient varies near the image"

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The variance over all copies."""
        return Smooth(Gradient(), self.samples, self.sigma, statistic="variance").maps(probe, of, rows)
