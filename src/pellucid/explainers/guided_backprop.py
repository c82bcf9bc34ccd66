"""Gradients of which only the positive ones pass activations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from pellucid.explainers.explainer import Classes, Explainer, Images
from pellucid.explainers.explanation import Remark
from pellucid.explainers.propagation import Gated, propagated
from pellucid.papers import cites
from pellucid.probe import Probe


@cites(
    "Springenberg, Dosovitskiy, Brox and Riedmiller, Striving for simplicity: the all convolutional net, ICLR "
    "workshop 2015. arXiv 1412.6806"
)
@final
@dataclass(frozen=True)
class GuidedBackprop(Explainer):
    """The gradient of the logit, of which each activation lets the positive part pass (Springenberg et al. 2015)."""

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
        return probe.shared(("guided",), lambda: Gated("guided"))
