"""Gradients of which only the positive ones pass activations, whatever was on in the forward pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from pellucid.explainers.explainer import Classes, Explainer, Images
from pellucid.explainers.explanation import Remark
from pellucid.explainers.propagation import Gated, propagated
from pellucid.papers import ZEILER, cites
from pellucid.probe import Probe


@cites(ZEILER)
@final
@dataclass(frozen=True)
class DeconvNet(Explainer):
    """The logit sent back through the network, with activations at what comes back (Zeiler and Fergus 2014)."""

    @property
    def legend(self) -> str:
        """Signs are those of what comes back, which is hardly of the class."""
        return "red is above 0, blue below: what excites the network, hardly of one class"

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The signal that arrives at the pixels: one forward and one backward pass."""
        return propagated(probe, of, self._gate(probe), lambda logits: logits.new_ones(()))

    def remarks(self, probe: Probe, of: Classes, found: Images) -> Sequence[Remark]:
        """What has to be known of a map: that it is the plain gradient, which takes one more backward pass to see."""
        return self._gate(probe).remarks(probe, of, found)

    def _gate(self, probe: Probe) -> Gated:
        return probe.shared(("deconvnet",), lambda: Gated("deconvnet"))
