"""How alike classes are by a file of hypernyms."""

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from pellucid import config, limits
from pellucid.errors import ConfigError, DataError, PellucidError
from pellucid.metrics.neurons import CLASS_SIMILARITIES, ClassSimilarity, Hierarchy, WordNet, consistency
from pellucid.metrics.neurons.cifar10_wordnet import CLASSES, DISTANCES
from pellucid.subjects import similarity_of

ANIMALS = {
    "bird": "n01503061",
    "cat": "n02121620",
    "deer": "n02430045",
    "dog": "n02084071",
    "frog": "n01639765",
    "horse": "n02374451",
}
# of WordNet 3.0, a child and what is above it; a dog goes two ways
WAYS = """
n01503061 n01471682 n01466257 n00015388
n01639765 n01627424 n01471682
n02121620 n02120997 n02075296 n01886756 n01861778 n01471682
n02084071 n02083346 n02075296
n02084071 n01317541 n00015388
n02430045 n02399000 n02394477 n02370806 n01886756
n02374451 n02374149 n02373336 n02370806
"""
AS = "write two words a line, such as 'n02083346 n02084071', a parent and its child"


def pairs() -> list[tuple[str, str]]:
    words = [line.split() for line in WAYS.strip().splitlines()]
    return [(child, parent) for way in words for child, parent in pairwise(way)]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("is_a.txt").write_text("".join(f"{parent} {child}\n" for child, parent in pairs()))
    return "is_a.txt"


def test_the_animals_of_cifar10_come_to_its_table(file: str) -> None:
    rows = [CLASSES.index(name) for name in ANIMALS]
    expected = torch.tensor(DISTANCES, dtype=torch.float64)[rows][:, rows]
    similarity = WordNet(file)
    assert torch.equal(similarity.distances(tuple(ANIMALS.values())), expected)
    torch.testing.assert_close(similarity.matrix(tuple(ANIMALS.values())), torch.exp(-expected.square() / 8))
    called = [f"{name}, {number}" for name, number in ANIMALS.items()]
    assert torch.equal(similarity.distances(called), expected)
    named = WordNet(file, nodes=tuple(ANIMALS.values()))
    assert torch.equal(named.distances(tuple(ANIMALS)), expected)
    some = torch.tensor([4, 1])
    for one, classes in ((similarity, called), (named, tuple(ANIMALS))):
        assert torch.equal(one.among(classes, some), one.matrix(classes)[some][:, some])


def test_it_is_the_hierarchy_of_the_same_parents_whichever_comes_first(file: str) -> None:
    parents: dict[str, tuple[str, ...]] = {}
    for child, parent in pairs():
        parents[child] = (*parents.get(child, ()), parent)
    classes = tuple(ANIMALS.values())
    expected = Hierarchy(parents, kernel="exponential", sigma=3.0).matrix(classes)
    torch.testing.assert_close(WordNet(file, kernel="exponential", sigma=3.0).matrix(classes), expected)
    Path("turned.txt").write_bytes(
        b"\xef\xbb\xbf" + "".join(f"{one}\t{two}\r\n\r\n" for one, two in pairs()).encode()
    )
    turned = WordNet("turned.txt", first="child", kernel="exponential", sigma=3.0)
    torch.testing.assert_close(turned.matrix(classes), expected)


def test_the_names_of_imagenet_are_understood(file: str) -> None:
    # a tench and a goldfish, below a fish
    Path("fish.txt").write_text("n02512053 n01440764\nn02512053 n01443537\n")
    for classes in (("tench", "goldfish"), ("n01440764", "n01443537")):
        assert WordNet("fish.txt").distances(classes).tolist() == [[0, 2], [2, 0]]


def test_levels_are_read_with_it(file: str) -> None:
    activations = torch.tensor([[3.0, 3.0], [2.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    labels = torch.tensor([0, 1, 2, 2])
    classes = tuple(ANIMALS[name] for name in ("cat", "dog", "bird"))
    assert consistency(activations, labels, WordNet(file), classes=classes).level[0] > 0


def test_a_file_or_a_table_names_it(file: str) -> None:
    assert similarity_of(file) == WordNet(file)
    Path("mine.toml").write_text('kind = "wordnet"\nfile = "is_a.txt"\nfirst = "child"\nnodes = ["a", "b"]\n')
    found = similarity_of("mine.toml")
    assert found == WordNet(file, first="child", nodes=("a", "b"))
    table = config.dump(found)
    assert CLASS_SIMILARITIES[table["kind"]] is WordNet and config.build(ClassSimilarity, table) == found


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: WordNet("no.txt").matrix("ab"), DataError, f"there is no file 'no.txt' of hypernyms; {AS}"),
        (lambda: written(b"\xff\xfe\x00"), DataError, f"'made.txt' is no text; {AS}"),
        (lambda: written(b"a b\n\na b c\n"), DataError, f"line 3 of 'made.txt' has not two words; {AS}"),
        (
            lambda: written(b"top a\na b\nb c\nc b\nc d\n"),
            DataError,
            "in 'made.txt' the way up from 'b' leads back to it; leave out a line of that circle",
        ),
        (
            lambda: written(b"a a\n"),
            DataError,
            "in 'made.txt' the way up from 'a' leads back to it; leave out a line of that circle",
        ),
        (
            lambda: WordNet("is_a.txt").matrix(("n02121620", "lynx")),
            ConfigError,
            "'is_a.txt' has no node for the class 'lynx'; call classes by their numbers in WordNet, or say with "
            "nodes which each is",
        ),
        (
            lambda: WordNet("is_a.txt", nodes=("n02121620", "n1")).matrix("ab"),
            ConfigError,
            "'is_a.txt' has no node 'n1'; name one that is in the file",
        ),
        (
            lambda: WordNet("is_a.txt", nodes=("n02121620",)).matrix("ab"),
            ConfigError,
            "a hierarchy names 1 nodes for 2 classes; each class is one",
        ),
        (
            lambda: WordNet("is_a.txt", first="child").matrix(tuple(ANIMALS.values())),
            ConfigError,
            "in 'is_a.txt' no two of these classes have an ancestor in common; where the parent comes first on a "
            "line, say so with first='parent'",
        ),
        (
            lambda: WordNet("is_a.txt", sigma=0),
            ConfigError,
            "distances in WordNet have sigma=0; the width of a kernel is above 0",
        ),
        (
            lambda: WordNet(".").matrix("ab"),
            DataError,
            "'.' is a folder, no regular file; give a file, or a link to one",
        ),
    ],
)
def test_what_is_refused(make: Callable[[], object], kind: type[PellucidError], message: str, file: str) -> None:
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        make()


def written(content: bytes) -> torch.Tensor:
    Path("made.txt").write_bytes(content)
    return WordNet("made.txt").matrix("ab")


def test_a_file_without_end_is_refused_before_it_is_read(file: str) -> None:
    with Path("endless.txt").open("wb") as endless:
        endless.truncate(2**34)
    message = f"'endless.txt' stands for 16 GiB, more than the {limits.shown(limits.JSON)} that it may; "
    with pytest.raises(DataError, match=f"^{re.escape(message)}"):
        WordNet("endless.txt").matrix("ab")
