"""How alike classes are: closed forms, and what is refused."""

import math
import re
from itertools import pairwise

import pytest
import torch

from pellucid import config
from pellucid.errors import ConfigError, PellucidError, ShapeError
from pellucid.metrics.neurons import (
    CLASS_SIMILARITIES,
    Cifar10WordNet,
    ClassSimilarity,
    Distances,
    Hierarchy,
    Identity,
    Matrix,
    level,
)
from pellucid.metrics.neurons.cifar10_wordnet import CLASSES, DISTANCES

TREE = Hierarchy({"cat": ("beast",), "dog": ("beast", "friend"), "car": ("thing",), "beast": ("thing",)})


def shares(*names: str) -> torch.Tensor:
    return torch.tensor([1 / len(names) if name in names else 0.0 for name in CLASSES], dtype=torch.float64)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (CLASSES, 0.1242),
        (("frog",), 1.0),
        (("cat", "dog"), 0.5677),
        (("automobile", "truck"), 0.8033),
        (("cat", "truck"), 0.5000),
        (("bird", "cat", "deer", "dog", "frog", "horse"), 0.1974),
        (("airplane", "automobile", "ship", "truck"), 0.3319),
    ],
)
def test_levels_on_cifar10(names: tuple[str, ...], expected: float) -> None:
    assert float(level(shares(*names), Cifar10WordNet().matrix(CLASSES))) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(("sigma", "chance"), [(1.0, 0.1029), (1.5, 0.1117), (2.5, 0.1427), (3.0, 0.1686)])
def test_chance_on_cifar10_by_the_width(sigma: float, chance: float) -> None:
    matrix = Cifar10WordNet(sigma=sigma).matrix(CLASSES)
    assert float(matrix.mean()) == pytest.approx(chance, abs=5e-5)
    assert float(torch.linalg.eigvalsh(matrix).min()) > 0


def test_every_two_classes_by_halves() -> None:
    matrix = Cifar10WordNet(kernel="exponential").matrix(CLASSES)
    for one in range(10):
        for other in range(10):
            p = torch.zeros(10, dtype=torch.float64)
            p[[one, other]] = 0.5 if one != other else 1.0
            assert float(level(p, matrix)) == pytest.approx(float(1 + matrix[one, other]) / 2)


def test_one_class_is_1_and_all_alike_are_the_mean_of_the_matrix() -> None:
    matrix = Cifar10WordNet().matrix(CLASSES)
    torch.testing.assert_close(level(torch.eye(10, dtype=torch.float64), matrix), torch.ones(10, dtype=torch.float64))
    assert float(level(shares(*CLASSES), matrix)) == pytest.approx(float(matrix.mean()))
    p = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    assert float(level(p, Identity().matrix("abc"))) == pytest.approx(float(p.square().sum()))


def test_a_hierarchy_by_hand() -> None:
    expected = torch.tensor([[0, 2, 3], [2, 0, 3], [3, 3, 0]], dtype=torch.float64)
    assert torch.equal(TREE.distances(("cat", "dog", "car")), expected)
    torch.testing.assert_close(TREE.matrix(("cat", "dog", "car")), torch.exp(-expected.square() / 8))
    friends = Hierarchy({**TREE.parents, "car": ("friend",)}, nodes=("dog", "car", "cat"))
    apart = math.inf
    assert friends.distances("xyz").tolist() == [[0, 2, 2], [2, 0, apart], [2, apart, 0]], "no way through a dog"


def test_what_nothing_connects_is_not_alike() -> None:
    apart = Hierarchy({"a": ("up",), "b": ("other",)})
    assert torch.equal(apart.matrix("ab"), torch.eye(2, dtype=torch.float64))


WAYS = """
truck motor-vehicle self-propelled-vehicle wheeled-vehicle vehicle conveyance instrumentality artifact whole
automobile motor-vehicle
wheeled-vehicle container instrumentality
ship vessel craft vehicle
airplane heavier-than-air-craft aircraft craft
bird vertebrate chordate animal organizm living-thing whole
frog amphibian vertebrate
cat feline carnivore placental mammal vertebrate
dog canine carnivore
dog domestic-animal animal
deer ruminant even-toed ungulate placental
horse equine odd-toed ungulate
"""


def test_the_hypernyms_of_cifar10_come_to_its_table() -> None:
    parents: dict[str, tuple[str, ...]] = {}
    for way in WAYS.split("\n"):
        for child, parent in pairwise(way.split()):
            parents[child] = (*parents.get(child, ()), parent)
    tree = Hierarchy(parents)
    assert torch.equal(tree.distances(CLASSES), torch.tensor(DISTANCES, dtype=torch.float64))
    torch.testing.assert_close(tree.matrix(CLASSES), Cifar10WordNet().matrix(CLASSES))


def test_nearer_classes_never_lower_the_level() -> None:
    p = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    found = [
        float(level(p, Distances(((0, 4, far), (4, 0, 4), (far, 4, 0))).matrix("abc")))
        for far in (9.0, 5.0, 2.0, 0.0)
    ]
    assert found == sorted(found) and found[0] < found[-1]
    merged = Distances(((0, 4), (4, 0))).matrix("ab")
    assert found[-1] == pytest.approx(float(level(torch.tensor([0.7, 0.3], dtype=torch.float64), merged)))


@pytest.mark.parametrize(
    "one",
    [
        Identity(),
        Matrix(((1.0, 0.5), (0.5, 1.0))),
        Distances(((0.0, 1.0), (1.0, 0.0)), kernel="exponential"),
        TREE,
        Cifar10WordNet(sigma=1.5),
    ],
)
def test_settings_go_to_tables_and_back(one: ClassSimilarity) -> None:
    table = config.dump(one)
    assert CLASS_SIMILARITIES[table["kind"]] is type(one)
    assert config.build(ClassSimilarity, table) == one


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (
            lambda: Matrix(((1.0, 0.2), (0.2,))),
            ConfigError,
            "a matrix of class similarities has 2 rows of lengths [1, 2]; give as many columns as rows",
        ),
        (
            lambda: Matrix(((1.0, 0.2), (0.3, 1.0))),
            ConfigError,
            "a matrix of class similarities is not symmetric; two classes are as alike one way as the other",
        ),
        (
            lambda: Matrix(((1.0, 1.5), (1.5, 1.0))),
            ConfigError,
            "a matrix of class similarities has entries from 1 to 1.5; they lie in [0, 1]",
        ),
        (
            lambda: Matrix(((0.9, 0.2), (0.2, 1.0))),
            ConfigError,
            "a matrix of class similarities has other numbers than 1 on its diagonal",
        ),
        (
            lambda: Matrix(((1.0, math.nan), (math.nan, 1.0))),
            ConfigError,
            "a matrix of class similarities is not symmetric; two classes are as alike one way as the other",
        ),
        (
            lambda: Matrix(((1.0,),)).matrix("ab"),
            ShapeError,
            "a matrix of class similarities is of 1 class, and there are 2",
        ),
        (
            lambda: Distances(((0.0, -1.0), (-1.0, 0.0))),
            ConfigError,
            "a table of class distances has the entry -1; none is below 0",
        ),
        (
            lambda: Distances(((1.0, 1.0), (1.0, 0.0))),
            ConfigError,
            "a table of class distances has other numbers than 0 on its diagonal",
        ),
        (
            lambda: Distances(((0.0,),), sigma=0),
            ConfigError,
            "distances between classes have sigma=0; the width of a kernel is above 0",
        ),
        (
            lambda: TREE.matrix(("cat", "dgo")),
            ConfigError,
            "the hierarchy has no node 'dgo' (did you mean 'dog'?)",
        ),
        (
            lambda: Hierarchy({"a": ("b",)}, nodes=("a",)).matrix("ab"),
            ConfigError,
            "a hierarchy names 1 nodes for 2 classes; each class is one",
        ),
        (
            lambda: Cifar10WordNet().matrix(("plane", "car", "bird")),
            ShapeError,
            "these 3 classes, plane, car, bird, ..., are not those of CIFAR-10 in its order; "
            "give a hierarchy or distances of their own",
        ),
    ],
)
def test_what_is_refused(make: object, kind: type[PellucidError], message: str) -> None:
    assert callable(make)
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        make()
