"""LIME: linear models of a network around an image, fitted to what it says when parts of the image are hidden."""

import lazy_loader

from pellucid.registry import Registry

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

SEGMENTATIONS = Registry(
    "segmentation",
    {
        "slic": "pellucid.explainers.lime.slic:Slic",
        "quickshift": "pellucid.explainers.lime.quickshift:Quickshift",
        "grid": "pellucid.explainers.lime.grid:Grid",
        "pixels": "pellucid.explainers.lime.pixels:Pixels",
    },
)
