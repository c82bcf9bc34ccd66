import pellucid.registry

from .ambiguities import Ambiguity as Ambiguity
from .ambiguities import ambiguity as ambiguity
from .cifar10_wordnet import Cifar10WordNet as Cifar10WordNet
from .class_similarity import ClassSimilarity as ClassSimilarity
from .class_similarity import Identity as Identity
from .class_similarity import Matrix as Matrix
from .distances import Distances as Distances
from .hierarchy import Hierarchy as Hierarchy
from .neuron_table import NeuronTable as NeuronTable
from .neuron_table import consistency as consistency
from .neuron_table import level as level
from .ratios import DistanceRatios as DistanceRatios
from .ratios import distance_ratios as distance_ratios
from .reading import Reading as Reading
from .roc_area import auroc as auroc
from .supporting import meanings as meanings
from .supporting import support as support
from .wordnet import WordNet as WordNet

CLASS_SIMILARITIES: pellucid.registry.Registry[type[ClassSimilarity]]
