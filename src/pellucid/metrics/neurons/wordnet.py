"""Similarities of classes by the hypernyms of WordNet, from a file."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jaxtyping import Float, Int
from torch import Tensor

from pellucid import limits
from pellucid.class_names import class_names, shown_names
from pellucid.errors import ConfigError, DataError
from pellucid.metrics.neurons.class_similarity import ClassSimilarity
from pellucid.metrics.neurons.distances import Kernel, check_sigma, near
from pellucid.metrics.neurons.hierarchy import Hierarchy

_NUMBER = re.compile(r"\bn\d{8}\b")
_AS = "write two words a line, such as 'n02083346 n02084071', a parent and its child"


@dataclass(frozen=True)
class WordNet(ClassSimilarity):
    """Classes by the shortest way through their hypernyms, and a kernel of its length; see `Hierarchy`.

    `file` has a parent and its child on each line, as ImageNet's `wordnet.is_a.txt` has; where the child comes first,
    say so with `first`. A class is found by its number in WordNet, which is its name or a part of it, or by the name
    that `--classes imagenet` gives it; `nodes` says which node each class is where neither tells.
    """

    file: str
    first: Literal["parent", "child"] = "parent"
    nodes: tuple[str, ...] = ()
    kernel: Kernel = "gaussian"
    sigma: float = 2.0

    def __post_init__(self) -> None:
        check_sigma(self.sigma, "distances in WordNet")

    def matrix(self, classes: Sequence[str]) -> Float[Tensor, "k k"]:
        """The kernel of the distances."""
        found = self.distances(classes)
        apart = found.isinf().sum()
        if len(classes) > 1 and apart == found.numel() - len(found):
            other = "parent" if self.first == "child" else "child"
            raise ConfigError(
                f"in '{self.file}' no two of these classes have an ancestor in common; where the {other} comes first "
                f"on a line, say so with first='{other}'"
            )
        return near(found, self.kernel, self.sigma)

    def among(self, classes: Sequence[str], some: Int[Tensor, " k"]) -> Float[Tensor, "k k"]:
        """The same for some of the classes, whose ways do not depend on the others."""
        rows: list[int] = some.tolist()
        nodes = tuple(self.nodes[row] for row in rows) if self.nodes else ()
        return near(self._distances([classes[row] for row in rows], nodes), self.kernel, self.sigma)

    def distances(self, classes: Sequence[str]) -> Float[Tensor, "k k"]:
        """How many edges lie between each two classes."""
        return self._distances(classes, self.nodes)

    def _distances(self, classes: Sequence[str], nodes: Sequence[str]) -> Float[Tensor, "k k"]:
        path = Path(self.file).expanduser()
        parents, known = _read(path, child_first=self.first == "child")
        if nodes:
            for node in nodes:
                if node not in known:
                    raise ConfigError(f"'{path}' has no node '{node}'; name one that is in the file")
        else:
            nodes = _nodes(classes, known, path)
        return Hierarchy(parents, tuple(nodes)).distances(classes)


def _nodes(classes: Sequence[str], known: set[str], path: Path) -> list[str]:
    """The node of each class."""
    imagenet = class_names("imagenet")
    shown = dict(zip(shown_names(imagenet), imagenet, strict=True))
    found: list[str] = []
    for name in classes:
        numbers = [name, *_NUMBER.findall(name), *_NUMBER.findall(shown.get(name, ""))]
        node = next((number for number in numbers if number in known), None)
        if node is None:
            raise ConfigError(
                f"'{path}' has no node for the class '{name}'; call classes by their numbers in WordNet, or say with "
                "nodes which each is"
            )
        found.append(node)
    return found


def _read(path: Path, *, child_first: bool) -> tuple[Mapping[str, tuple[str, ...]], set[str]]:
    """The parents of each child, and all nodes."""
    with limits.reading(path):
        if not path.exists():
            raise DataError(f"there is no file '{path}' of hypernyms; {_AS}")
        content = limits.read(path, most=limits.JSON)
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"'{path}' is no text; {_AS}") from error
    parents: dict[str, dict[str, None]] = defaultdict(dict)
    known: set[str] = set()
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        if len(words) != 2:
            raise DataError(f"line {number} of '{path}' has not two words; {_AS}")
        child, parent = words if child_first else reversed(words)
        parents[child][parent] = None
        known.update(words)
    _check_ends(parents, path)
    return {child: tuple(above) for child, above in parents.items()}, known


def _check_ends(parents: Mapping[str, Mapping[str, None]], path: Path) -> None:
    """Refuse a way up that never ends."""
    children: dict[str, list[str]] = defaultdict(list)
    waiting = {child: len(above) for child, above in parents.items()}
    for child, above in parents.items():
        for parent in above:
            children[parent].append(child)
    # nodes whose ways all end, from the top down
    ended = [parent for parent in children if parent not in parents]
    while ended:
        for child in children.get(ended.pop(), ()):
            waiting[child] -= 1
            if not waiting[child]:
                ended.append(child)
    endless = {child for child, left in waiting.items() if left}
    if not endless:
        return
    seen: dict[str, None] = {}
    node = min(endless)
    while node not in seen:  # every endless node has an endless parent
        seen[node] = None
        node = next(parent for parent in parents[node] if parent in endless)
    raise DataError(f"in '{path}' the way up from '{node}' leads back to it; leave out a line of that circle")
