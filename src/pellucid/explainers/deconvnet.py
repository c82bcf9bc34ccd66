"""Gradients of which only the positive ones pass activations, whatever was on in the forward pass."""

from dataclasses import dataclass
from typing import final

from pellucid.explainers.propagation import Gatekeeper
from pellucid.papers import ZEILER, cites


@cites(ZEILER)
@final
@dataclass(frozen=True)
class DeconvNet(Gatekeeper):
    """The logit sent back through the network, with activations at what comes back (Zeiler and Fergus 2014)."""

    gate = "deconvnet"
