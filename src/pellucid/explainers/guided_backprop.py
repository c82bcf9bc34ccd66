"""Gradients of which only the positive ones pass activations."""

from dataclasses import dataclass
from typing import final

from pellucid.explainers.propagation import Gatekeeper
from pellucid.papers import cites


@cites(
    "Springenberg, Dosovitskiy, Brox and Riedmiller, Striving for simplicity: the all convolutional net, ICLR "
    "workshop 2015. arXiv 1412.6806"
)
@final
@dataclass(frozen=True)
class GuidedBackprop(Gatekeeper):
    """The gradient of the logit, of which each activation lets the positive part pass (Springenberg et al. 2015)."""

    gate = "guided"
