"""Gradients averaged over noisy copies of the image."""

from dataclasses import dataclass
from typing import final

from pellucid.explainers.explainer import Classes, Explainer, Images
from pellucid.explainers.gradient import Gradient
from pellucid.explainers.smooth import Smooth, check_noise
from pellucid.probe import Probe


@final
@dataclass(frozen=True)
class SmoothGrad(Explainer):
    """The mean gradient of the class's logit over `samples` noisy copies of the image (Smilkov et al. 2017).

    The noise is normal, with the deviation `sigma` in [0, 1] pixel units whatever the image's own range. With `clean`
    the image itself is one more summand of equal weight, and with `clip` noisy copies are drawn back into [0, 1]:
    both as in the code of Noack et al. 2021, whose maps the defaults give.
    """

    samples: int = 50
    sigma: float = 0.15
    clean: bool = True
    clip: bool = True

    def __post_init__(self) -> None:
        check_noise("SmoothGrad", self.samples, self.sigma)

    @property
    def random(self) -> bool:
        """Only without noise it is not."""
        return self.sigma > 0

    @property
    def legend(self) -> str:
        """A gradient says which way to change a pixel, not what is there."""
        return "where it is red a brighter pixel would raise the class's logit, where it is blue a darker one"

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The mean over all copies."""
        return Smooth(Gradient(), self.samples, self.sigma, self.clean, self.clip).maps(probe, of, rows)
