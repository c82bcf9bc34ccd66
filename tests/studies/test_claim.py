"""How outcomes are told, against what is known of them."""

import pytest
import torch
from scipy import stats

from pellucid.errors import ConfigError
from pellucid.studies.claim import Claim, Place, told

A, B = Place("a", "accuracy"), Place("b", "accuracy")
MORE = Claim("a beats b", (A,), (B,), holds="yes", fails="no")


def values(first: list[float], second: list[float]) -> dict[int, dict[Place, float]]:
    return {seed: {A: one, B: other} for seed, (one, other) in enumerate(zip(first, second, strict=True))}


def test_the_interval_is_that_of_a_paired_t_test() -> None:
    first, second = [0.5, 0.62, 0.58, 0.7], [0.4, 0.55, 0.52, 0.58]
    found = told(MORE, values(first, second)).difference
    wanted = stats.ttest_rel(first, second).confidence_interval(0.95)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), rel=2e-3)


def test_outcomes_follow_the_interval() -> None:
    assert told(MORE, values([0.5, 0.6, 0.71], [0.3, 0.4, 0.5])).outcome == "holds"
    assert told(MORE, values([0.3, 0.4, 0.5], [0.5, 0.6, 0.71])).outcome == "does not hold"
    assert told(MORE, values([0.3, 0.6, 0.5], [0.5, 0.4, 0.6])).outcome == "cannot be told"


def test_less_is_more_turned_around() -> None:
    less = Claim("a is less", (A,), (B,), direction="less")
    assert told(less, values([0.3, 0.4, 0.5], [0.5, 0.6, 0.71])).outcome == "holds"


def test_a_margin_has_to_be_exceeded_and_a_negative_one_may_be_lost() -> None:
    found = values([0.51, 0.61, 0.7001], [0.5, 0.6, 0.69])
    assert told(Claim("much more", (A,), (B,), margin=0.05), found).outcome == "does not hold"
    assert told(Claim("no less", (B,), (A,), margin=-0.05), found).outcome == "holds"


def test_too_few_seeds_and_differences_that_do_not_vary_tell_nothing() -> None:
    assert "2 of the 3 seeds" in told(MORE, values([0.9, 0.8], [0.1, 0.1])).why
    assert "all 4 differences are 0.25" in told(MORE, values([0.75] * 4, [0.5] * 4)).why
    assert told(MORE, {}).why == "no seed has both figures"


def test_only_seeds_with_both_sides_count_and_sides_are_means() -> None:
    found = values([0.5, 0.6, 0.7], [0.1, 0.2, 0.35])
    found[3] = {A: 0.9}
    both = Claim("their mean", (A, B), than=0.2)
    pairs = told(both, found).pairs
    assert [pair.seed for pair in pairs] == [0, 1, 2]
    assert pairs[0].first == pytest.approx(0.3)
    assert pairs[0].second == 0.2


def test_what_is_neither_true_nor_false_is_told_wrongly_as_often_as_is_said() -> None:
    trials, seeds = 1000, 4
    drawn = torch.randn(trials, 2, seeds, generator=torch.Generator().manual_seed(0)).tolist()
    decided = sum(told(MORE, values(*pair)).outcome != "cannot be told" for pair in drawn)
    # 5 % of 1,000; beyond these ends in one of 10,000 runs of another seed
    low, high = stats.binom.ppf([0.5e-4, 1 - 0.5e-4], trials, 0.05)
    assert low <= decided <= high


@pytest.mark.parametrize("wrong", [{"says": ""}, {"first": ()}, {"than": float("nan")}, {"margin": float("inf")}])
def test_claims_that_say_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Claim(**{"says": "it is so", "first": (A,), **wrong})  # pyright: ignore[reportArgumentType]
