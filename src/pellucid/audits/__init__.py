"""Audits: everything that tells whether a network's decisions and explanations can be believed, in one folder."""

import lazy_loader

from pellucid.registry import Registry

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

PARTS = Registry(
    "part",
    {
        "applicable": "pellucid.audits.applicable.part:Applicable",
        "decided": "pellucid.audits.decided.part:Decided",
        "robust": "pellucid.audits.robust.part:Robust",
        "auto-attacked": "pellucid.audits.auto_attacked.part:AutoAttacked",
        "checked": "pellucid.audits.checked.part:Checked",
        "explained": "pellucid.audits.explained.part:Explained",
        "gradients": "pellucid.audits.gradients.part:Gradients",
        "neurons": "pellucid.audits.neurons.part:Neurons",
        "gallery": "pellucid.audits.gallery.part:Gallery",
        "class-maps": "pellucid.audits.class_maps.part:ClassMaps",
    },
)

PROFILES = Registry(
    "profile",
    {
        "quick": "pellucid.audits.profiles:QUICK",
        "standard": "pellucid.audits.profiles:STANDARD",
        "full": "pellucid.audits.profiles:FULL",
    },
)
