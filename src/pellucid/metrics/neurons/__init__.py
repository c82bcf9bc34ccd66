"""Whether neurons mean one thing: pure functions of activations, labels and how alike classes are."""

from pellucid.metrics.neurons.ambiguity import Ambiguity as Ambiguity
from pellucid.metrics.neurons.ambiguity import ambiguity as ambiguity
from pellucid.metrics.neurons.auroc import auroc as auroc
from pellucid.metrics.neurons.cifar10 import Cifar10WordNet as Cifar10WordNet
from pellucid.metrics.neurons.class_similarity import ClassSimilarity as ClassSimilarity
from pellucid.metrics.neurons.class_similarity import Identity as Identity
from pellucid.metrics.neurons.class_similarity import Matrix as Matrix
from pellucid.metrics.neurons.consistency import NeuronTable as NeuronTable
from pellucid.metrics.neurons.consistency import consistency as consistency
from pellucid.metrics.neurons.distance_ratios import DistanceRatios as DistanceRatios
from pellucid.metrics.neurons.distance_ratios import distance_ratios as distance_ratios
from pellucid.metrics.neurons.distances import Distances as Distances
from pellucid.metrics.neurons.hierarchy import Hierarchy as Hierarchy
from pellucid.metrics.neurons.levels import level as level
from pellucid.metrics.neurons.reading import Reading as Reading
from pellucid.metrics.neurons.support import meanings as meanings
from pellucid.metrics.neurons.support import support as support
from pellucid.registry import Registry

CLASS_SIMILARITIES: Registry[type[ClassSimilarity]] = Registry(
    "class-similarity",
    {
        "identity": Identity,
        "matrix": Matrix,
        "distances": Distances,
        "hierarchy": Hierarchy,
        "cifar10-wordnet": Cifar10WordNet,
    },
)
