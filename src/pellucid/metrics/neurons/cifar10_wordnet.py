"""How far the classes of CIFAR-10 are apart in WordNet."""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ShapeError, count_of
from pellucid.metrics.neurons.class_similarity import ClassSimilarity
from pellucid.metrics.neurons.distances import Distances, Kernel, check_sigma

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

# Edges on the shortest way through the hypernyms of WordNet 3.0, first noun senses, automobile as car.n.01. A dog has
# two hypernyms, and comes nearer to everything through "domestic animal" than a cat does.
DISTANCES = (
    (0, 8, 14, 18, 19, 13, 15, 19, 5, 8),
    (8, 0, 13, 17, 18, 12, 14, 18, 7, 2),
    (14, 13, 0, 6, 7, 5, 3, 7, 13, 13),
    (18, 17, 6, 0, 7, 4, 7, 7, 17, 17),
    (19, 18, 7, 7, 0, 7, 8, 6, 18, 18),
    (13, 12, 5, 4, 7, 0, 6, 7, 12, 12),
    (15, 14, 3, 7, 8, 6, 0, 8, 14, 14),
    (19, 18, 7, 7, 6, 7, 8, 0, 18, 18),
    (5, 7, 13, 17, 18, 12, 14, 18, 0, 7),
    (8, 2, 13, 17, 18, 12, 14, 18, 7, 0),
)


@dataclass(frozen=True)
class Cifar10WordNet(ClassSimilarity):
    """The classes of CIFAR-10 by their distances in WordNet, and a kernel of those."""

    kernel: Kernel = "gaussian"
    sigma: float = 2.0

    def __post_init__(self) -> None:
        check_sigma(self.sigma, "distances in WordNet")

    def matrix(self, classes: Sequence[str]) -> Float[Tensor, "k k"]:
        """The kernel of the distances."""
        unnamed = tuple(map(str, range(len(CLASSES))))
        if tuple(classes) not in (CLASSES, unnamed):
            raise ShapeError(
                f"these {count_of(len(classes), 'class')}, {', '.join(classes[:3])}, ..., are not those of CIFAR-10 "
                "in its order; give a hierarchy or distances of their own"
            )
        rows = tuple(tuple(map(float, row)) for row in DISTANCES)
        return Distances(rows, self.kernel, self.sigma).matrix(classes)
