"""Attacks on explanations: images that look the same, get the same answer, and have another map."""

import lazy_loader

from pellucid.registry import Registry

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

AIMS = Registry(
    "aim",
    {
        "frame": "pellucid.attacks.explanations.frame:Frame",
        "towards": "pellucid.attacks.explanations.towards:Towards",
        "top-k": "pellucid.attacks.explanations.top_k:TopK",
        "center-of-mass": "pellucid.attacks.explanations.center_of_mass:CenterOfMass",
        "decorrelate": "pellucid.attacks.explanations.decorrelate:Decorrelate",
    },
)
