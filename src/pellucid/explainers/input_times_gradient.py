"""The gradient, times how far each pixel is from a baseline."""

from dataclasses import dataclass
from typing import final

from torch import Tensor

from pellucid.explainers.baseline import Baseline, baseline_of, check_baseline, idle_share
from pellucid.explainers.explainer import Classes, Explainer, Images, images_of, summed
from pellucid.papers import cites
from pellucid.probe import Probe


@cites(
    "Shrikumar, Greenside, Shcherbina and Kundaje, Not Just a Black Box: Learning Important Features Through "
    "Propagating Activation Differences, 2016. arXiv 1605.01713"
)
@final
@dataclass(frozen=True)
class InputTimesGradient(Explainer):
    """The gradient of the class's logit times the pixel's distance from a baseline (Shrikumar et al. 2016).

    To first order it is what each pixel adds to the logit in place of the baseline's.
    """

    baseline: Baseline = 0.0

    def __post_init__(self) -> None:
        check_baseline("InputTimesGradient", self.baseline)

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The gradient times how far pixels are from the baseline: one forward and one backward pass."""
        x = images_of(probe)
        return probe.gradient(of) * (x - baseline_of(x, self.baseline, probe.network))

    def reach(self, found: Images) -> Tensor:
        """The sum of its magnitudes."""
        return summed(found)

    def idle(self, probe: Probe, of: Classes, rows: int) -> Tensor:
        """The pixels that are as the baseline."""
        return idle_share(probe.x.detach(), self.baseline, probe.network)
