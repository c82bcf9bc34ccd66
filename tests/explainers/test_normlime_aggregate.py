"""Aggregation: worked by hand, and what must not change it."""

import re
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pellucid.errors import ConfigError, LabelError, NotFinite, ShapeError
from pellucid.explainers.normlime import Importance, Rule, Tally, aggregate
from pellucid.explainers.normlime.aggregation import Kind, Sign

W = torch.tensor([[0.6, -0.2, 0], [0.1, 0, 0.1], [0, 0.5, -0.5], [0.3, 0.3, 0.3]], dtype=torch.float64)
Y = torch.tensor([0, 0, 1, 1])
KINDS: list[Kind] = ["normlime", "mean-abs", "sp-lime", "mean-square"]


def equal(found: Tensor, expected: list[list[float]]) -> bool:
    return torch.allclose(found, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("normlime", [0.2, 0.4 / 3, 0.4 / 3]),
        ("mean-abs", [0.25, 0.25, 0.225]),
        ("sp-lime", [1.0, 1.0, 0.9**0.5]),
        ("mean-square", [0.46 / 4, 0.38 / 4, 0.35 / 4]),
    ],
)
def test_all_images_by_hand(kind: Kind, expected: list[float]) -> None:
    found = aggregate(W, Y, Rule(kind, by="global"))
    assert equal(found.values, [expected])
    assert found.counts.tolist() == [[3, 3, 3]]
    assert found.explanations.tolist() == [4]


def test_classes_by_hand() -> None:
    found = aggregate(W, Y, Rule())
    assert equal(found.values, [[0.25, 0.05, 0.05], [0.1, 0.175, 0.175]])
    assert found.counts.tolist() == [[2, 1, 1], [1, 2, 2]]
    positive = aggregate(W, Y, Rule(sign="positive"))
    assert equal(positive.values, [[0.25, 0, 0.05], [0.1, 0.175, 0.1]])
    assert positive.counts.tolist() == [[2, 0, 1], [1, 2, 1]]
    negative = aggregate(W, Y, Rule(sign="negative"))
    assert equal(negative.values, [[0, 0.05, 0], [0, 0, 0.25]])
    assert found.explanations.tolist() == [2, 2]


def test_standard_errors_by_hand() -> None:
    found = aggregate(W, Y, Rule(by="global"))
    shares = torch.tensor([0.45, 0.05, 0.1], dtype=torch.float64)  # of feature 0, in the three that use it
    assert float(found.standard_errors[0, 0]) == pytest.approx(float(shares.std() / 3**0.5), abs=1e-12)
    low, high = found.interval()
    assert float(high[0, 0]) == pytest.approx(0.2 + 4.302652729911275 * float(shares.std() / 3**0.5), abs=1e-12)
    assert float(low[0, 0]) == 0, "which is never below 0"
    absolute = aggregate(W, Y, Rule("mean-abs", by="global"))
    assert float(absolute.standard_errors[0, 1]) == pytest.approx(float(W[:, 1].abs().std() / 2), abs=1e-12)
    root = aggregate(W, Y, Rule("sp-lime", by="global"))
    assert float(root.standard_errors[0, 1]) == pytest.approx(4 * float(W[:, 1].abs().std() / 2) / 2, abs=1e-12)
    alone = aggregate(W[:1], Y[:1], Rule(by="global"))
    assert bool(alone.standard_errors.isinf().all()), "one image says nothing of how images vary"


def test_the_most_important_first_and_unused_ones_never() -> None:
    found = aggregate(W, Y, Rule(sign="positive"))
    assert found.top(0, 3).tolist() == [0, 2]
    assert found.top(1, 2).tolist() == [1, 0]


# the cluster of each superpixel, two of one in the first image
CLUSTERS = torch.tensor([[0, 0, 1], [1, 2, 0], [2, 1, 1], [0, 1, 2]])


def by_the_rule(w: Tensor, y: Tensor, clusters: Tensor, positive: bool) -> dict[tuple[int, int], tuple[float, int]]:
    """InterpretDL's rule, in loops: the mean over occurrences of w²/‖w‖₁."""
    found: dict[tuple[int, int], list[float]] = {}
    for weights, label, names in zip(w.tolist(), y.tolist(), clusters.tolist(), strict=True):
        norm = sum(map(abs, weights))
        for weight, name in zip(weights, names, strict=True):
            if not positive or weight > 0:
                found.setdefault((label, name), []).append(weight**2 / norm)
    return {key: (sum(values) / len(values), len(values)) for key, values in found.items()}


@pytest.mark.parametrize("sign", ["both", "positive"])
def test_the_rule_of_interpretdl(sign: Sign) -> None:
    found = aggregate(W, Y, Rule(sign=sign, compat="interpretdl"), words=CLUSTERS)
    expected = by_the_rule(W, Y, CLUSTERS, sign == "positive")
    for row in range(2):
        for word in range(3):
            mean, count = expected.get((row, word), (0.0, 0))
            assert float(found.values[row, word]) == pytest.approx(mean, abs=1e-12)
            assert int(found.counts[row, word]) == count
    if sign == "both":
        assert float(found.values[0, 0]) == pytest.approx((0.45 + 0.05 + 0.05) / 3, abs=1e-12)


def test_superpixels_of_one_word_are_added_up_in_each_image() -> None:
    found = aggregate(W, Y, Rule(), words=CLUSTERS)
    summed = torch.tensor([[0.4, 0, 0], [0.1, 0.1, 0], [0, 0, 0], [0.3, 0.3, 0.3]], dtype=torch.float64)
    # the first image has the word 1 though its coefficient is 0, the third has no effect left and is skipped
    used = torch.tensor([[1, 1, 0], [1, 1, 1], [0, 1, 1], [1, 1, 1]], dtype=torch.bool)
    expected = aggregate(summed, Y, Rule(), used=used)
    assert equal(found.values, expected.values.tolist())
    assert torch.equal(found.counts, expected.counts)
    assert found.skipped == 1


def test_places_without_a_superpixel_count_for_nothing() -> None:
    padded = torch.cat([W, torch.zeros(4, 2)], 1)
    words = torch.cat([CLUSTERS, torch.full((4, 2), -1)], 1)
    for compat in ("none", "interpretdl"):
        found = aggregate(padded, Y, Rule(compat=compat), words=words)
        assert alike(found, aggregate(W, Y, Rule(compat=compat), words=CLUSTERS))


def alike(one: Importance, other: Importance) -> bool:
    return (
        torch.allclose(one.values, other.values, rtol=1e-12, atol=1e-14)
        and torch.equal(one.counts, other.counts)
        and torch.allclose(one.standard_errors, other.standard_errors, rtol=1e-6, atol=1e-7)
        and torch.equal(one.explanations, other.explanations)
        and one.skipped == other.skipped
    )


@st.composite
def explanations(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    n, d = draw(st.integers(1, 12)), draw(st.integers(1, 6))
    seed = draw(st.integers(0, 10**6))
    generator = torch.Generator().manual_seed(seed)
    w = torch.randn(n, d, generator=generator, dtype=torch.float64)
    w = w * (torch.rand(n, d, generator=generator) < draw(st.sampled_from([0.3, 0.7, 1.0])))
    return w, torch.randint(3, (n,), generator=generator)


many = settings(max_examples=60)


@many
@given(explanations(), st.sampled_from([-2.0, 0.5, -1.0]), st.sampled_from(KINDS))
def test_scaled_explanations_scale_the_importance(given: tuple[Tensor, Tensor], scale: float, kind: Kind) -> None:
    (w, y), factor = given, abs(scale)
    factor = {"sp-lime": factor**0.5, "mean-square": factor**2}.get(kind, factor)
    rule = Rule(kind, by="global")
    one, other = aggregate(w, y, rule), aggregate(scale * w, y, rule)
    assert torch.allclose(other.values, factor * one.values, rtol=1e-12)
    assert torch.equal(one.counts, other.counts)


@many
@given(explanations(), st.sampled_from(KINDS), st.integers(0, 100))
def test_order_is_no_matter(given: tuple[Tensor, Tensor], kind: Kind, seed: int) -> None:
    w, y = given
    generator = torch.Generator().manual_seed(seed)
    rows, columns = (torch.randperm(length, generator=generator) for length in w.shape)
    rule = Rule(kind, by="global")
    one, other = aggregate(w, y, rule), aggregate(w[rows][:, columns], y[rows], rule)
    assert torch.allclose(one.values[:, columns], other.values, rtol=1e-12)
    assert torch.equal(one.counts[:, columns], other.counts)


@many
@given(explanations(), st.sampled_from(["normlime", "mean-abs", "mean-square"]))
def test_twice_the_same_images_are_as_important(given: tuple[Tensor, Tensor], kind: Kind) -> None:
    w, y = given
    rule = Rule(kind, by="global")
    one, other = aggregate(w, y, rule), aggregate(w.repeat(2, 1), y.repeat(2), rule)
    assert torch.allclose(one.values, other.values, rtol=1e-12)
    assert torch.equal(2 * one.counts, other.counts)


@many
@given(explanations(), st.sampled_from(KINDS))
def test_explanations_of_nothing_are_skipped_and_counted(given: tuple[Tensor, Tensor], kind: Kind) -> None:
    w, y = given
    rule = Rule(kind, by="global")
    one = aggregate(w, y, rule)
    other = aggregate(torch.cat([w, torch.zeros_like(w[:1])]), torch.cat([y, y[:1]]), rule)
    assert torch.equal(one.values, other.values)
    assert torch.equal(one.standard_errors, other.standard_errors)
    assert other.skipped == one.skipped + 1
    assert int(other.explanations.sum()) + other.skipped == len(w) + 1


@many
@given(explanations(), st.sampled_from(KINDS), st.integers(0, 12), st.sampled_from(["both", "positive", "negative"]))
def test_parts_add_up_to_the_whole(given: tuple[Tensor, Tensor], kind: Kind, cut: int, sign: Sign) -> None:
    w, y = given
    empty = Tally.empty(Rule(kind, sign), classes=3, features=w.shape[1])
    whole = empty.add(w, y).importance()
    assert alike((empty.add(w[:cut], y[:cut]) + empty.add(w[cut:], y[cut:])).importance(), whole)
    one_by_one = empty
    for row in range(len(w)):
        one_by_one = one_by_one.add(w[row : row + 1], y[row : row + 1])
    assert alike(one_by_one.importance(), whole)


@many
@given(explanations())
def test_classes_weighed_by_their_counts_are_all_images(given: tuple[Tensor, Tensor]) -> None:
    w, y = given
    classes, whole = aggregate(w, y, Rule()), aggregate(w, y, Rule(by="global"))
    together = (classes.values * classes.counts).sum(0, keepdim=True) / classes.counts.sum(0).clamp_min(1)
    assert torch.allclose(together, whole.values, rtol=1e-12)


@many
@given(explanations())
def test_an_explanation_weighs_more_the_more_concentrated_it_is(given: tuple[Tensor, Tensor]) -> None:
    w = given[0][:1]
    total, norm = float(aggregate(w, given[1][:1], Rule(by="global")).values.sum()), float(w.abs().sum())
    assert norm / w.shape[1] * (1 - 1e-12) <= total <= norm * (1 + 1e-12)


EMPTY = Tally.empty(Rule(), classes=2, features=3)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: Rule("mean-abs", compat="interpretdl"),
            ConfigError,
            "compat='interpretdl' is for kind 'normlime', not for 'mean-abs'; set one of them",
        ),
        (
            lambda: aggregate(W[:0], Y[:0], Rule(by="global")),
            ShapeError,
            "there are no explanations to put together; give one or more",
        ),
        (
            lambda: EMPTY.add(W[:, :2], Y),
            ShapeError,
            "these explanations have 2 features, and the tally 3; give as many",
        ),
        (
            lambda: EMPTY.add(W, Y, words=CLUSTERS + 1),
            ShapeError,
            "there is a word 3 among 3; words count from 0",
        ),
        (lambda: EMPTY.add(W, Y + 1), LabelError, "an explanation is of class 2, and there are 2 classes"),
        (lambda: EMPTY.add(W, Y - 1), LabelError, "an explanation is of class -1, and there are 2 classes"),
        (
            lambda: EMPTY.add(W / W[:, :1], Y),
            NotFinite,
            "1 of 4 explanations have NaN or infinite coefficients; leave them out",
        ),
        (
            lambda: EMPTY + Tally.empty(Rule(sign="positive"), classes=2, features=4),
            ConfigError,
            "these tallies are of 2 x 3 (normlime, both, class, none) and of 2 x 4 (normlime, positive, class, none)"
            "; add up such as are alike",
        ),
    ],
)
def test_what_is_refused(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        make()
