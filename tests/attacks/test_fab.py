"""FAB where the nearest point is known in closed form; its projections against linear programs and bisection."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.optimize import linprog
from torch import Tensor, nn

from networks import images, linear, smooth
from pellucid.attacks import FAB, BelowChance, Repeat
from pellucid.attacks.fab import Liftable, lift
from pellucid.errors import ConfigError
from pellucid.norms import L1, L2, RMS, Linf
from pellucid.protocols import Norm

DUAL: list[tuple[Liftable, int | float]] = [(Linf(), 1), (L2(), 2), (L1(), math.inf)]

norms = st.sampled_from([Linf(), L2(), RMS(), L1()])
# eighths and quarters, so that ties, zeros and pixels at the walls are common; and others
pixels = st.integers(0, 8).map(lambda n: n / 8) | st.floats(0, 1, allow_subnormal=False)
slopes = st.integers(-8, 8).map(lambda n: n / 4) | st.floats(-4, 4).map(lambda value: round(value, 3))
amounts = st.integers(-20, 20).map(lambda n: n / 4) | st.floats(-5, 5)


def right(model: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        return model(x).argmax(1)


def differences(model: nn.Sequential, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """By how much each class's logit is behind the label's, and the slopes of that."""
    (layer,) = (module for module in model if isinstance(module, nn.Linear))
    weight, logits = layer.weight.detach(), model(x).detach()
    return logits.gather(1, y[:, None]) - logits, weight[y][:, None] - weight


@pytest.mark.parametrize(("norm", "order"), DUAL)
@pytest.mark.parametrize("classes", [2, 4])
def test_on_a_linear_network_it_comes_near_the_closed_form(norm: Liftable, order: float, classes: int) -> None:
    model, x = linear(classes=classes), 0.45 + 0.1 * images(6, 1, 3, 3, seed=4)
    (layer,) = (module for module in model if isinstance(module, nn.Linear))
    with torch.no_grad():  # the gray image on all boundaries at once keeps the nearest points far from the walls
        layer.bias.copy_(-layer.weight.sum(1) / 2)
    y = right(model, x)
    behind, slopes = differences(model, x, y)
    exact = (behind / torch.linalg.vector_norm(slopes, order, dim=2)).nan_to_num(math.inf).amin(1)
    assert exact.max() < 0.4
    found = FAB(eps=math.inf, norm=norm, steps=20)(model, x, y)
    assert found.reached.all()
    assert (found.distance >= exact * (1 - 1e-9)).all()
    assert (found.distance <= 1.05 * exact).all()


@pytest.mark.parametrize("norm", [Linf(), L2(), RMS(), L1()])
def test_near_the_walls_it_comes_near_the_projection(norm: Liftable) -> None:
    model, x = linear(classes=2), images(40, 1, 3, 3, seed=5).round(decimals=1)
    y = right(model, x)
    behind, slopes = differences(model, x, y)
    rows = torch.arange(40)
    slope, amount = slopes[rows, 1 - y].view_as(x), -behind[rows, 1 - y]
    exact = lift(x, slope, amount, norm)
    possible = ((exact * slope).flatten(1).sum(1) - amount).abs() < 1e-9
    assert possible.sum() > 20
    found = FAB(eps=math.inf, norm=norm, steps=40)(model, x, y)
    assert torch.equal(found.reached, possible)
    length = norm.size(exact)[possible]
    assert (found.distance[possible] >= length * (1 - 1e-9)).all()
    assert (found.distance[possible] <= 1.05 * length).all()


@pytest.mark.parametrize(("norm", "order"), DUAL)
@pytest.mark.parametrize(("factor", "falls"), [(0.98, False), (1.05, True)])
def test_an_image_falls_if_the_ball_reaches_the_boundary(
    norm: Liftable, order: float, factor: float, falls: bool
) -> None:
    model, x = linear(classes=2), 0.45 + 0.1 * images(1, 1, 3, 3, seed=4)
    y = right(model, x)
    behind, slopes = differences(model, x, y)
    eps = factor * (behind / torch.linalg.vector_norm(slopes, order, dim=2))[0, 1 - y].item()
    found = FAB(eps=eps, norm=norm, steps=20)(model, x, y)
    assert found.reached.item() is falls
    assert found.distance.item() <= eps * (1 + 1e-9)


def test_each_step_costs_one_backward_pass_for_each_class() -> None:
    model, x = linear(classes=4), images(3, 1, 3, 3)
    found = FAB(eps=math.inf, steps=7, classes=2)(model, x, right(model, x))
    assert (found.backwards == 14).all()
    # two per step, one to rank the classes, and the decisions before and after
    assert (found.forwards >= 2 * 14 + 3).all()
    assert (FAB(eps=math.inf, steps=7)(model, x, right(model, x)).backwards == 21).all()  # there are three others


def test_each_class_is_walked_to_from_the_image() -> None:
    model, x = linear(classes=4), images(3, 1, 3, 3)
    seen: list[Tensor] = []
    model.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().clone()))
    FAB(eps=math.inf, steps=2, classes=3)(model, x, right(model, x))
    # asking for the labels, deciding, ranking, and then once for each class
    assert sum(torch.equal(point, x) for point in seen) == 3 + 3


def test_an_image_leaves_once_a_point_in_the_ball_is_found() -> None:
    model, x = linear(classes=4), 0.45 + 0.1 * images(6, 1, 3, 3)
    found = FAB(eps=0.5, norm=L2())(model, x, right(model, x))
    assert found.reached.all()
    assert (found.backwards <= 5).all()


def test_more_classes_find_nothing_farther() -> None:
    model, x = smooth(), images(4, 1, 6, 6)
    y = right(model, x)
    few, many = (FAB(eps=math.inf, norm=L2(), steps=8, classes=classes)(model, x, y) for classes in (1, 3))
    assert few.reached.all()
    assert (many.distance <= few.distance).all()


def test_a_second_time_finds_the_same() -> None:
    model, x = smooth(), images(4, 1, 6, 6)
    y = right(model, x)
    attack = FAB(eps=math.inf, steps=4)
    assert torch.equal(Repeat(attack, 2)(model, x, y).x, attack(model, x, y).x)


def test_its_budget_is_its_eps() -> None:
    assert FAB(eps=0.1).levels == (0.1,)
    assert FAB(eps=math.inf).budget == math.inf
    assert FAB(eps=math.inf).levels == ()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FAB(eps=0), "FAB has eps=0; a budget is a length above 0 in [0, 1] pixel units"),
        (lambda: FAB(eps=8), "FAB has eps=8, more than the whole range of a pixel; did you mean 8/255?"),
        (lambda: FAB(steps=0), "FAB has steps=0; a search takes 1 step or more"),
        (lambda: FAB(classes=0), "FAB has classes=0; it walks to 1 other class or more"),
        (
            lambda: FAB(overshoot=0.9),
            "FAB has overshoot=0.9; less than 1 ends short of the boundary, and "
            "more than 2 further behind it than before it",
        ),
        (lambda: FAB(bias=2), "FAB has bias=2; it is a share in [0, 1]"),
        (lambda: FAB(backward=-1), "FAB has backward=-1; it is a share in [0, 1]"),
        (
            lambda: FAB(goal=BelowChance()),
            "FAB has goal=BelowChance(); it walks to boundaries of the label's class, so give it Misclassified()",
        ),
    ],
)
def test_settings_that_make_no_walk(make: Callable[[], FAB], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        make()


@dataclass(frozen=True)
class Taxi:
    """A norm that FAB has not heard of, though it is one."""

    registry: ClassVar[str] = L1.registry
    size = L1.size
    project = L1.project
    on_surface = L1.on_surface
    steepest = L1.steepest
    random = L1.random


def test_it_knows_four_norms() -> None:
    message = "FAB has norm=Taxi(); it projects in Linf, L2, RMS and L1"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        FAB(norm=cast("Norm", Taxi()))


@st.composite
def tasks(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor]:
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 2), st.integers(1, 3), st.integers(1, 3)))
    x = draw(arrays.arrays("float64", shape, elements=pixels))
    slope = draw(arrays.arrays("float64", shape, elements=slopes))
    amount = draw(arrays.arrays("float64", shape[:1], elements=amounts))
    return torch.from_numpy(x), torch.from_numpy(slope), torch.from_numpy(amount)


def attainable(x: Tensor, slope: Tensor, amount: Tensor) -> Tensor:
    """The amounts, or the nearest to them that a change within the box attains."""
    most = torch.maximum(slope * (1 - x), -slope * x).flatten(1).sum(1)
    least = torch.minimum(slope * (1 - x), -slope * x).flatten(1).sum(1)
    return amount.clamp(least, most)


@given(norms, tasks())
def test_it_arrives_at_the_plane_without_leaving_the_box(norm: Liftable, task: tuple[Tensor, Tensor, Tensor]) -> None:
    x, slope, amount = task
    delta = lift(x, slope, amount, norm)
    assert delta.shape == x.shape
    assert bool((x + delta >= -1e-12).all())
    assert bool((x + delta <= 1 + 1e-12).all())
    assert torch.allclose((delta * slope).flatten(1).sum(1), attainable(x, slope, amount), atol=1e-9)
    assert bool((delta[slope == 0] == 0).all())


@settings(max_examples=60)
@given(st.sampled_from([Linf(), L1()]), tasks())
def test_no_change_is_shorter_says_a_linear_program(norm: Liftable, task: tuple[Tensor, Tensor, Tensor]) -> None:
    x, slope, amount = task
    found = norm.size(lift(x, slope, amount, norm))
    for number, wanted in enumerate(attainable(x, slope, amount).tolist()):
        exact = programmed(x[number].flatten().numpy(), slope[number].flatten().numpy(), wanted, norm)
        assert found[number].item() == pytest.approx(exact, abs=1e-6)


def programmed(x: numpy.ndarray, slope: numpy.ndarray, wanted: float, norm: Liftable) -> float:
    """The length of the shortest change, whose absolute entries are variables of their own."""
    count = len(x)
    one = numpy.eye(count)
    bounds = [(-value, 1 - value) for value in x] + [(0, None)] * (count if norm == L1() else 1)
    size = one if norm == L1() else numpy.ones((count, 1))
    cost = numpy.concatenate((numpy.zeros(count), numpy.ones(size.shape[1])))
    above = numpy.block([[one, -size], [-one, -size]])
    plane = numpy.concatenate((slope, numpy.zeros(size.shape[1])))[None]
    # a strip instead of the plane, since rounding may have put the plane outside the box; small slopes widen it
    above = numpy.concatenate((above, plane, -plane))
    limits = numpy.concatenate((numpy.zeros(2 * count), [wanted + 1e-10, 1e-10 - wanted]))
    return float(linprog(cost, A_ub=above, b_ub=limits, bounds=bounds).fun)


@given(tasks())
def test_no_change_is_shorter_says_bisection(task: tuple[Tensor, Tensor, Tensor]) -> None:
    x, slope, amount = task
    wanted = attainable(x, slope, amount)

    def clipped(time: Tensor) -> Tensor:
        """By duality, the shortest change in L2 follows the slope and is cut off at the walls."""
        return torch.minimum(torch.maximum(time[:, None, None, None] * slope, -x), 1 - x)

    low, high = torch.full_like(amount, -2e3), torch.full_like(amount, 2e3)
    for _ in range(80):
        middle = (low + high) / 2
        short = (clipped(middle) * slope).flatten(1).sum(1) < wanted
        low, high = torch.where(short, middle, low), torch.where(short, high, middle)
    assert torch.allclose(L2().size(lift(x, slope, amount, L2())), L2().size(clipped((low + high) / 2)), atol=1e-7)


@given(norms, tasks())
def test_each_image_is_projected_by_itself(norm: Liftable, task: tuple[Tensor, Tensor, Tensor]) -> None:
    x, slope, amount = task
    together = lift(x, slope, amount, norm)
    assert torch.allclose(lift(x[:1], slope[:1], amount[:1], norm), together[:1], atol=1e-12)


@pytest.mark.parametrize("norm", [Linf(), L2(), L1()])
@pytest.mark.parametrize("factor", [1e-36, 1e-20, 1e20, 1e34])
def test_slopes_of_any_scale_are_as_good(norm: Liftable, factor: float) -> None:
    generator = torch.Generator().manual_seed(0)
    x, slope = torch.rand(2, 8, 3, 16, 16, generator=generator) - torch.tensor([0.0, 0.5]).view(2, 1, 1, 1, 1)
    amount = torch.linspace(-9, 9, 8)
    exact = lift(x.double(), slope.double(), amount.double(), norm)
    scaled = lift(x, slope * factor, amount * factor, norm)
    assert torch.allclose(scaled.double(), exact, atol=1e-4)


@pytest.mark.parametrize("norm", [Linf(), L2(), L1()])
def test_without_a_slope_nothing_moves(norm: Liftable) -> None:
    x = torch.full((2, 1, 2, 2), 0.5)
    assert bool((lift(x, torch.zeros_like(x), torch.tensor([1.0, 0.0]), norm) == 0).all())
