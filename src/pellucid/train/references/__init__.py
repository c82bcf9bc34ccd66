"""Reference maps: making them, keeping them, and what a network's gradients may be asked to resemble."""

import lazy_loader

from pellucid.registry import Registry

REFERENCES = Registry(
    "reference",
    {
        "stored": "pellucid.train.references.stored:Stored",
        "taught": "pellucid.train.references.taught:Taught",
        "masks": "pellucid.train.references.masks:Masks",
        "edges": "pellucid.train.references.edges:Edges",
        "random-maps": "pellucid.train.references.random_maps:RandomMaps",
    },
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
