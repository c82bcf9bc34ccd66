"""Rulers for perturbations, one length per image."""

import lazy_loader

from pellucid.registry import Registry

NORMS = Registry(
    "norm",
    {
        "linf": "pellucid.norms.lengths:Linf",
        "l2": "pellucid.norms.lengths:L2",
        "rms": "pellucid.norms.lengths:RMS",
        "l1": "pellucid.norms.lengths:L1",
        "l0": "pellucid.norms.lengths:L0",
    },
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
