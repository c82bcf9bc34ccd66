"""Signals other than gradients, from a logit back to the pixels of one forward pass."""

import lazy_loader

from pellucid.registry import Registry

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

COMPOSITES = Registry(
    "composite",
    {
        "epsilon": "pellucid.explainers.propagation.composites:epsilon",
        "epsilon-plus": "pellucid.explainers.propagation.composites:epsilon_plus",
        "epsilon-plus-box": "pellucid.explainers.propagation.composites:epsilon_plus_box",
        "epsilon-plus-flat": "pellucid.explainers.propagation.composites:epsilon_plus_flat",
        "plus-box": "pellucid.explainers.propagation.composites:plus_box",
        "epsilon-gamma": "pellucid.explainers.propagation.composites:epsilon_gamma",
        "epsilon-gamma-box": "pellucid.explainers.propagation.composites:epsilon_gamma_box",
        "epsilon-alpha2-beta1": "pellucid.explainers.propagation.composites:epsilon_alpha2_beta1",
        "epsilon-alpha2-beta1-flat": "pellucid.explainers.propagation.composites:epsilon_alpha2_beta1_flat",
    },
)
"""Composites by name, each made from the settings epsilon and gamma."""
