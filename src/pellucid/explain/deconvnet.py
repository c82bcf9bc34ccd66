"""Gradients of which only the positive ones pass activations, whatever was on in the forward pass."""

from dataclasses import dataclass
from typing import final

from pellucid.explain.explainer import Classes, Explainer, Images
from pellucid.explain.propagation import gated, propagated
from pellucid.probe import Probe


@final
@dataclass(frozen=True)
class DeconvNet(Explainer):
    """The logit sent back through the network, with activations at what comes back (Zeiler and Fergus 2014)."""

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """One forward and one backward pass."""
        return propagated(probe, of, gated("deconvnet"), lambda logits: logits.new_ones(()))
