"""Whether neurons mean one thing: pure functions of activations, labels and how alike classes are."""

import lazy_loader

from pellucid.registry import Registry

CLASS_SIMILARITIES = Registry(
    "class-similarity",
    {
        "identity": "pellucid.metrics.neurons.class_similarity:Identity",
        "matrix": "pellucid.metrics.neurons.class_similarity:Matrix",
        "distances": "pellucid.metrics.neurons.distances:Distances",
        "hierarchy": "pellucid.metrics.neurons.hierarchy:Hierarchy",
        "wordnet": "pellucid.metrics.neurons.wordnet:WordNet",
        "cifar10-wordnet": "pellucid.metrics.neurons.cifar10_wordnet:Cifar10WordNet",
    },
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
