"""Similarities that fall with the way between classes in a hierarchy."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ConfigError, count_of, suggestion
from pellucid.metrics.neurons.class_similarity import ClassSimilarity
from pellucid.metrics.neurons.distances import Kernel, check_sigma, near


@dataclass(frozen=True)
class Hierarchy(ClassSimilarity):
    """A child's `parents`, of which it may have several, and a kernel of the shortest way between two classes.

    A way goes up to an ancestor of both and down again. (It never goes down and up: a dog, which is a beast and a
    pet, brings no other beast nearer to other pets.) `nodes` says which node each class is, in the order of the
    labels; without it nodes are called as classes are. Classes without a common ancestor are not alike at all.
    """

    parents: Mapping[str, tuple[str, ...]]
    nodes: tuple[str, ...] = ()
    kernel: Kernel = "gaussian"
    sigma: float = 2.0

    def __post_init__(self) -> None:
        check_sigma(self.sigma, "distances in a hierarchy")

    def matrix(self, classes: Sequence[str]) -> Float[Tensor, "k k"]:
        """The kernel of the distances."""
        return near(self.distances(classes), self.kernel, self.sigma)

    def distances(self, classes: Sequence[str]) -> Float[Tensor, "k k"]:
        """How many edges lie between each two classes."""
        nodes = self.nodes or tuple(classes)
        if len(nodes) != len(classes):
            raise ConfigError(
                f"a hierarchy names {len(nodes)} nodes for {count_of(len(classes), 'class')}; each class is one"
            )
        known = {*self.parents, *chain.from_iterable(self.parents.values())}
        for node in nodes:
            if node not in known:
                raise ConfigError(f"the hierarchy has no node '{node}'{suggestion(node, known)}")
        above = [self._above(node) for node in nodes]
        rows = [[_way(one, other) for other in above] for one in above]
        return torch.tensor(rows, dtype=torch.float64)

    def _above(self, node: str) -> dict[str, int]:
        """How far up each ancestor is, and the node itself."""
        steps, waiting = {node: 0}, deque([node])
        while waiting:
            one = waiting.popleft()
            for parent in self.parents.get(one, ()):
                if parent not in steps:
                    steps[parent] = steps[one] + 1
                    waiting.append(parent)
        return steps


def _way(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """The shortest way over an ancestor of both."""
    return min((one[node] + other[node] for node in one.keys() & other.keys()), default=math.inf)
