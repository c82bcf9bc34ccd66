"""Gradients of which only the positive ones pass activations."""

from dataclasses import dataclass
from typing import final

from pellucid.explain.explainer import Classes, Explainer, Images
from pellucid.explain.propagation import gated, propagated
from pellucid.probe import Probe


@final
@dataclass(frozen=True)
class GuidedBackprop(Explainer):
    """The gradient of the logit, of which each activation lets the positive part pass (Springenberg et al. 2015)."""

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """One forward and one backward pass."""
        return propagated(probe, of, gated("guided"), lambda logits: logits.new_ones(()))
