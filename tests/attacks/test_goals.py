"""Conditions on logits."""

import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pellucid.attacks import GOALS, BelowChance, Confirmed, Goal, HighestLoss, LowestLoss, Misclassified, Targeted
from pellucid.errors import ConfigError

REACHABLE: list[Goal] = [Misclassified(), BelowChance(), Confirmed(), Targeted(1)]
ENDLESS: list[Goal] = [HighestLoss(), LowestLoss()]
EVERY = REACHABLE + ENDLESS


def logits(seed: int, classes: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(20, classes, generator=generator, dtype=torch.float64)
    return values, torch.randint(classes, (20,), generator=generator)


@given(st.integers(0, 1000), st.integers(2, 6))
def test_what_each_goal_means(seed: int, classes: int) -> None:
    values, y = logits(seed, classes)
    chosen = values.argmax(1)
    label = values.softmax(1).gather(1, y[:, None]).squeeze(1)
    assert torch.equal(Misclassified().reached(values, y), chosen != y)
    assert torch.equal(Confirmed().reached(values, y), chosen == y)
    assert torch.equal(Targeted(1).reached(values, y), chosen == 1)
    assert torch.equal(BelowChance().reached(values, y), label < 1 / classes)


def test_every_goal_is_tried() -> None:
    assert {type(goal) for goal in EVERY} == set(GOALS.values())


@pytest.mark.parametrize("goal", ENDLESS, ids=repr)
def test_some_goals_are_never_reached(goal: Goal) -> None:
    values, y = logits(3, 4)
    assert not goal.reached(1e6 * values, y).any()
    sign = 1 if goal == HighestLoss() else -1
    assert torch.allclose(
        goal.progress(values, y), sign * torch.nn.functional.cross_entropy(values, y, reduction="none")
    )


@pytest.mark.parametrize("goal", REACHABLE, ids=repr)
def test_a_single_goal_climbs_the_same_either_way(goal: Goal) -> None:
    values, y = logits(5, 4)
    slopes: list[Tensor] = []
    for score in (goal.progress, goal.margin):
        leaf = values.clone().requires_grad_()
        (slope,) = torch.autograd.grad(score(leaf, y).sum(), leaf)
        slopes.append(torch.nn.functional.normalize(slope))
    assert torch.allclose(slopes[0], slopes[1]) == goal.single


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_chance_is_climbed_however_confident_the_network(dtype: torch.dtype) -> None:
    values = torch.tensor([[900.0, 0.0, -50.0]], dtype=dtype, requires_grad=True)
    margin = BelowChance().margin(values, torch.tensor([0]))
    (slope,) = torch.autograd.grad(margin.sum(), values)
    assert margin.item() == pytest.approx(-900 - math.log(2))
    assert torch.allclose(slope, slope.new_tensor([[-1.0, 1.0, 0.0]]))


def test_chance_lies_where_the_probability_is_that_of_guessing() -> None:
    values, y = logits(200, 7)
    probability = values.softmax(1).gather(1, y[:, None]).squeeze(1)
    assert torch.equal(BelowChance().reached(values, y), probability < 1 / 7)


@pytest.mark.parametrize("goal", REACHABLE, ids=repr)
def test_climbing_leads_to_the_goal(goal: Goal) -> None:
    values, y = logits(3, 4)
    start = goal.reached(values, y)
    for _ in range(400):
        leaf = values.clone().requires_grad_()
        values = values + torch.autograd.grad(goal.progress(leaf, y).sum(), leaf)[0]
    assert not start.all()
    assert goal.reached(values, y).all()


@pytest.mark.parametrize("goal", EVERY, ids=repr)
def test_only_differences_of_logits_count(goal: Goal) -> None:
    values, y = logits(4, 4)
    assert torch.allclose(goal.margin(values, y), goal.margin(values + 3, y))
    assert torch.allclose(goal.progress(values, y), goal.progress(values + 3, y))


def test_a_tie_is_no_failure_yet() -> None:
    values, y = torch.zeros(1, 4), torch.tensor([0])
    for goal in (Misclassified(), BelowChance(), Confirmed()):
        assert goal.margin(values, y).item() == pytest.approx(0, abs=1e-6)
        assert not goal.reached(values - torch.tensor([0.0, 1, 1, 1]), y).item() or isinstance(goal, Confirmed)
    assert BelowChance().margin(values - torch.tensor([[math.log(2), 0, 0, 0]]), y).item() > 0


def test_a_class_that_is_none() -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape('of is -1; classes count from 0')}$"):
        Targeted(-1)
    values, y = logits(0, 3)
    with pytest.raises(ConfigError, match=f"^{re.escape('of is 7; the network has the classes 0 to 2')}$"):
        Targeted(7).reached(values, y)
