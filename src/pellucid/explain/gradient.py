"""The plain gradient."""

from dataclasses import dataclass
from typing import final

from pellucid.explain.explainer import Classes, Explainer, Images
from pellucid.probe import Probe


@final
@dataclass(frozen=True)
class Gradient(Explainer):
    """How fast the class's logit rises with each pixel (Simonyan et al. 2014): signed, every channel its own."""

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The gradient of the logit, not of the probability: that vanishes where the network is sure."""
        return probe.gradient(of)
