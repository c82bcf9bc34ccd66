"""Levels of consistency: closed forms, invariances, what estimators come to on average, and planted neurons."""

import itertools
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from chance import rare
from pellucid.errors import ConfigError, LabelError, MeasurementError, NotFinite, PellucidError, ShapeError
from pellucid.metrics.neurons import (
    Cifar10WordNet,
    Distances,
    Identity,
    Matrix,
    NeuronTable,
    Reading,
    consistency,
    level,
    meanings,
    support,
)
from pellucid.metrics.neurons.neuron_table import levels
from pellucid.metrics.neurons.top_sets import TopSets

TEN = torch.arange(10).repeat_interleave(100)
QUICK = Reading(draws=20)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def brute(activations: Tensor, labels: Tensor, matrix: Tensor, count: int, weights: Tensor) -> float:
    """The level of one neuron, as the mean over every way to choose among equals and all pairs of that."""
    order = activations.argsort(descending=True, stable=True)
    threshold = activations[order[count - 1]]
    above = (activations > threshold).nonzero().squeeze(1).tolist()
    tied = (activations == threshold).nonzero().squeeze(1).tolist()
    total = norm = 0.0
    for chosen in itertools.combinations(tied, count - len(above)):
        for one, other in itertools.permutations([*above, *chosen], 2):
            weight = float(weights[labels[one]] * weights[labels[other]])
            total += weight * float(matrix[labels[one], labels[other]])
            norm += weight
    return total / norm


def test_planted_neurons() -> None:
    one_class = (TEN == 3).double() * 5 + noise(1000)
    two = ((TEN == 3) | (TEN == 5)).double() * 5 + noise(1000)
    table = consistency(torch.stack([one_class, two, noise(1000, seed=1)], 1), TEN, how=Reading(share=0.05))
    assert table.count == 50 and table.images == 1000 and table.chance == pytest.approx(0.1)
    assert float(table.level[0]) == pytest.approx(1) and float(table.corrected[0]) == pytest.approx(1)
    assert float(table.level[1]) == pytest.approx(0.5, abs=0.05)
    assert abs(float(table.corrected[2])) < 0.05
    assert table.favorite[0] == 3 and float(table.shares[0, 3]) == pytest.approx(1)
    assert table.p[:2].max() == pytest.approx(1 / 201) and table.p[2] > 0.02
    assert table.order().tolist() == [0, 1, 2]
    assert table.beyond().value == pytest.approx(2 / 3) and table.mean.n == 3


@pytest.mark.parametrize("estimator", ["pairs", "plain"])
def test_like_classes_count_by_their_similarity(estimator: str) -> None:
    cats_and_dogs = torch.where(TEN == 3, 2.0, torch.where(TEN == 5, 2.0, 0.0))
    how = Reading(share=0.2, estimator=estimator, draws=1)  # pyright: ignore[reportArgumentType]
    found = consistency(cats_and_dogs[:, None], TEN, Cifar10WordNet(), how=how)
    plain = 0.5677
    expected = plain if estimator == "plain" else (200 * plain - 1) / 199
    assert float(found.level) == pytest.approx(expected, abs=5e-5)
    rooted = consistency(
        cats_and_dogs[:, None],
        TEN,
        Cifar10WordNet(),
        how=Reading(share=0.2, estimator=estimator, root=True, draws=1),  # pyright: ignore[reportArgumentType]
    )
    assert float(rooted.level) == pytest.approx(float(found.level) ** 0.5)
    assert rooted.chance == pytest.approx(found.chance**0.5)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 5), st.booleans())
def test_pairs_are_all_ways_to_choose_among_equals(seed: int, count: int, balance: bool) -> None:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.cat([torch.arange(3), torch.randint(3, (6,), generator=generator)])
    activations = torch.randint(4, (9, 1), generator=generator).double()
    activations[0] += 9  # never dead
    similarity = Distances(((0, 1, 3), (1, 0, 2), (3, 2, 0)))
    how = Reading(share=count / 9, least=2, balance=balance, draws=1)
    found = consistency(activations, labels, similarity, how=how)
    if found.count != count:  # no less than two, or a class's mean size
        count = found.count
    counts = torch.bincount(labels, minlength=3)
    # where weights differ between the ways, this is a ratio of means
    weights = len(labels) / counts.double() if balance else torch.ones(3, dtype=torch.float64)
    expected = brute(activations[:, 0], labels, similarity.matrix("abc"), count, weights)
    assert float(found.level) == pytest.approx(expected)


def test_pairs_are_unbiased_and_the_plain_form_is_not() -> None:
    """100,000 draws of 20 images from known shares."""
    shares = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    similarity = Distances(((0, 2, 3), (2, 0, 4), (3, 4, 0)))
    generator = torch.Generator().manual_seed(0)
    drawn = torch.multinomial(shares, 100_000 * 20, replacement=True, generator=generator).view(100_000, 20)
    counts = torch.nn.functional.one_hot(drawn, 3).sum(1).double()
    matrix, truth = similarity.matrix("abc"), float(level(shares, similarity.matrix("abc")))
    # the last image of each draw is that on the threshold
    last = torch.nn.functional.one_hot(drawn[:, -1], 3).double()
    sets, ones = TopSets(counts - last, last, 20), torch.ones(3, dtype=torch.float64)
    pairs = float(levels(sets, matrix, ones, Reading()).mean())
    plain = float(levels(sets, matrix, ones, Reading(estimator="plain")).mean())
    assert pairs == pytest.approx(truth, abs=1e-3)
    assert plain == pytest.approx(truth + (1 - truth) / 20, abs=1e-3)


def test_permuted_labels_come_to_chance() -> None:
    table = consistency(noise(1000, 3), TEN, Cifar10WordNet(), how=Reading(draws=500))
    # of images that are drawn without putting back
    assert table.null.tolist() == pytest.approx([(1000 * table.chance - 1) / 999] * 3, abs=2e-3)
    assert table.chance == pytest.approx(0.1242, abs=5e-5)


def test_p_values_are_uniform_where_nothing_means_anything() -> None:
    table = consistency(noise(1000, 400, seed=5), TEN, how=Reading(share=0.1, draws=200))
    for alpha in (0.05, 0.2, 0.5):
        assert not rare(int((table.p <= alpha).sum()), 400, alpha)


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_names_of_classes_scales_and_order_do_not_matter(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.cat([torch.arange(4), torch.randint(4, (76,), generator=generator)])
    activations = torch.randint(12, (80, 3), generator=generator).double()
    distances = torch.randint(1, 9, (4, 4), generator=generator).triu(1)
    distances = (distances + distances.T).double()

    def found(activations: Tensor, labels: Tensor, distances: Tensor) -> NeuronTable:
        rows = tuple(map(tuple, distances.tolist()))
        return consistency(activations, labels, Distances(rows), classes="abcd", how=QUICK)

    before = found(activations, labels, distances)
    assert torch.equal(found(activations.exp(), labels, distances).level, before.level)
    order, names = torch.randperm(80, generator=generator), torch.randperm(4, generator=generator)
    shuffled = found(activations[order], labels[order], distances)
    torch.testing.assert_close(shuffled.level, before.level)
    torch.testing.assert_close(shuffled.shares, before.shares)
    renamed = found(activations, names[labels], distances[names.argsort()][:, names.argsort()])
    torch.testing.assert_close(renamed.level, before.level)


def test_rare_classes_count_as_much_as_common_ones() -> None:
    labels = torch.cat([torch.zeros(900, dtype=torch.long), torch.ones(100, dtype=torch.long)])
    both = consistency(noise(1000, 1), labels, how=Reading(share=0.5, draws=1))
    assert both.chance == pytest.approx(0.5)
    assert float(both.shares[0, 0]) == pytest.approx(0.5, abs=0.05)
    plain = consistency(noise(1000, 1), labels, how=Reading(share=0.5, draws=1, balance=False))
    assert plain.chance == pytest.approx(0.82) and float(plain.level) == pytest.approx(0.82, abs=0.03)


def test_dead_neurons_have_no_row() -> None:
    activations = torch.stack([noise(1000), torch.full((1000,), 7.0, dtype=torch.float64), noise(1000, seed=1)], 1)
    table = consistency(activations, TEN, how=QUICK)
    assert table.neuron.tolist() == [0, 2] and table.dead == 1 and len(table) == 2
    nothing = consistency(torch.zeros(1000, 4), TEN, how=QUICK)
    assert nothing.dead == 4 and len(nothing) == 0 and len(nothing.order()) == 0 and len(nothing.favorite) == 0
    message = "all 4 neurons of this layer are dead; nothing can be said of them"
    for figure in ("mean", "mean_corrected"):
        with pytest.raises(MeasurementError, match=f"^{re.escape(message)}$"):
            getattr(nothing, figure)
    with pytest.raises(MeasurementError, match=f"^{re.escape(message)}$"):
        nothing.beyond()


def test_everything_is_a_number_even_where_all_classes_are_alike() -> None:
    same = Matrix(((1.0, 1.0), (1.0, 1.0)))
    table = consistency(noise(20, 2), torch.arange(20) % 2, same, how=QUICK)
    assert table.level.tolist() == pytest.approx([1, 1]) and table.corrected.tolist() == [0, 0]
    for column in (table.null, table.p, table.shares):
        assert column.isfinite().all()


@pytest.mark.parametrize(
    ("images", "classes", "how", "count"),
    [
        (10_000, 10, Reading(), 100),
        (1000, 10, Reading(), 50),
        (360, 10, Reading(), 36),  # a class is no larger
        (360, 10, Reading(share=0.5), 180),
        (50_000, 1000, Reading(), 500),  # what is asked for holds
        (3, 3, Reading(), 2),
    ],
)
def test_how_many_images_activate(images: int, classes: int, how: Reading, count: int) -> None:
    assert how.count(images, classes) == count


def test_the_same_seed_gives_the_same_table() -> None:
    one, two = (consistency(noise(100, 5), torch.arange(100) % 4, seed=3) for _ in range(2))
    assert torch.equal(one.p, two.p) and torch.equal(one.null, two.null)


def test_support_is_by_the_neurons_that_a_prediction_rests_on() -> None:
    activations = torch.stack([(TEN == 3).double(), (TEN == 5).double(), torch.zeros(1000)], 1)
    classes = tuple(map(str, range(10)))
    known = meanings(activations, TEN, Identity(), classes=classes, how=Reading(share=0.1))
    assert known[0, 3] == 1 and known[1, 5] == 1 and known[2].sum() == 0
    differences = torch.tensor([[0.4, 0, 0], [0.3, 0.1, 0], [1e-300, 0, 9.0], [-1.0, 0, 0.5]], dtype=torch.float64)
    scores, defined = support(differences, torch.tensor([3, 3, 3, 3]), known)
    assert scores.tolist() == pytest.approx([1, 0.75, 1, 0]) and defined.tolist() == [True, True, True, False]


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: Reading(share=0), ConfigError, "share is 0; it is a part of all images, above 0 and at most 1"),
        (lambda: Reading(least=1), ConfigError, "least is 1; a comparison takes 2 images or more"),
        (lambda: Reading(draws=0), ConfigError, "draws is 0; permute the labels once or more"),
        (
            lambda: consistency(torch.zeros(3, 2), torch.arange(2)),
            ShapeError,
            "there are activations of 3 images and 2 labels",
        ),
        (
            lambda: consistency(torch.zeros(1, 2), torch.arange(1)),
            ShapeError,
            "there are activations of 1 image; give 2 or more",
        ),
        (
            lambda: consistency(torch.tensor([[0.0, torch.nan], [1.0, 0.0]]), torch.arange(2)),
            NotFinite,
            "activations of 1 neurons are NaN or infinite",
        ),
        (
            lambda: consistency(torch.zeros(2, 2), torch.arange(2), classes="a"),
            LabelError,
            "there is the label 1 with 1 class; labels run from 0 to 0",
        ),
        (
            lambda: consistency(torch.zeros(2, 2), torch.zeros(2, dtype=torch.long)),
            MeasurementError,
            "all images are of one class, and so is what activates any neuron; give several classes",
        ),
    ],
)
def test_what_is_refused(make: object, kind: type[PellucidError], message: str) -> None:
    assert callable(make)
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        make()


@pytest.mark.parametrize("how", [Reading(), Reading(estimator="plain", balance=False)])
def test_classes_without_an_image_change_nothing_and_cost_nothing(how: Reading) -> None:
    activations = noise(60, 7)
    labels = torch.arange(60) % 3
    few = consistency(activations, labels, classes=("a", "b", "c"), how=how)
    where = torch.tensor([7, 40_000, 999])
    names = tuple(map(str, range(50_000)))  # whose matrix of similarities would take 20 GB
    many = consistency(activations, where[labels], classes=names, how=how)
    assert torch.equal(many.neuron, few.neuron) and torch.equal(many.p, few.p)
    torch.testing.assert_close(many.level, few.level)
    torch.testing.assert_close(many.shares[:, where], few.shares)
    assert many.shares.shape == (7, 50_000) and many.chance == pytest.approx(few.chance)
