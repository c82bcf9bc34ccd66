"""Auto-PGD, its losses and AutoAttack, where their results are known."""

import math
import re
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from networks import images, linear, smooth
from pellucid.attacks import APGD, FAB, Attack, AutoAttack, Repeat, Square, TargetedAPGD
from pellucid.attacks.apgd import checkpoints
from pellucid.attacks.fab import lift
from pellucid.attacks.losses import LOSSES, dlr, targeted_dlr
from pellucid.attacks.sparse_climb import project_boxed
from pellucid.errors import ConfigError
from pellucid.norms import L0, L1, L2, Linf
from pellucid.protocols import Norm


def logits(seed: int, classes: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(20, classes, generator=generator, dtype=torch.float64)
    y = torch.randint(classes, (20,), generator=generator)
    return values, y, (y + 1) % classes


@given(st.integers(0, 1000), st.integers(3, 7), st.floats(-3, 3), st.floats(0.1, 10))
def test_ratios_are_blind_to_shift_and_scale(seed: int, classes: int, shift: float, scale: float) -> None:
    values, y, rival = logits(seed, classes)
    for loss in (dlr, targeted_dlr):
        assert torch.allclose(loss(values, y, rival), loss(scale * values + shift, y, rival), atol=1e-6)


@given(st.integers(0, 1000), st.integers(2, 7))
def test_losses_are_positive_where_the_rival_is_ahead(seed: int, classes: int) -> None:
    values, y, rival = logits(seed, classes)
    wrong = values.argmax(1) != y
    assert torch.equal(LOSSES["margin"](values, y, rival) > 0, wrong)
    assert torch.equal(dlr(values, y, rival) > 0, wrong)
    ahead = values.gather(1, rival[:, None]) > values.gather(1, y[:, None])
    assert torch.equal(targeted_dlr(values, y, rival) > 0, ahead.squeeze(1))


def test_every_loss_has_a_slope_from_two_classes_on() -> None:
    for classes in range(2, 6):
        values, y, rival = logits(1, classes)
        for name, loss in LOSSES.items():
            leaf = values.clone().requires_grad_()
            (slope,) = torch.autograd.grad(loss(leaf, y, rival).sum(), leaf)
            assert (slope.abs().sum(1) > 0).float().mean() > 0.5, (name, classes)


def test_checks_come_ever_sooner() -> None:
    found = checkpoints(100)
    assert next(iter(found)) == 21
    assert list(found.values())[:5] == [22, 19, 16, 13, 10]
    assert min(found.values()) == 6


def closed_form(model: nn.Sequential, x: Tensor, order: float) -> Tensor:
    """The distance of the nearest of all boundaries of a linear network."""
    (layer,) = (module for module in model if isinstance(module, nn.Linear))
    values, weight = model(x).detach(), layer.weight.detach()
    y = values.argmax(1)
    behind = values.gather(1, y[:, None]) - values
    steep = torch.linalg.vector_norm(weight[y][:, None] - weight[None], order, dim=2)
    ways = (behind / steep).scatter(1, y[:, None], torch.inf)
    return ways.amin(1)


@pytest.mark.parametrize(("norm", "order"), [(Linf(), 1.0), (L2(), 2.0)])
@pytest.mark.parametrize(("make", "classes"), [(APGD, 2), (TargetedAPGD, 2), (TargetedAPGD, 4)])
def test_exactly_the_images_within_reach_fall(
    make: Callable[..., Attack], classes: int, norm: Norm, order: float
) -> None:
    # of more than two classes, cross-entropy alone need not lead to the nearest
    model, x = linear(classes=classes), 0.4 + 0.2 * images(40, 1, 3, 3, seed=3)
    y = model(x).argmax(1)
    distance = closed_form(model, x, order)
    eps = float(distance.median())
    found = make(eps=eps, steps=60, norm=norm)(model, x, y)
    clear = (distance / eps - 1).abs() > 0.03
    assert torch.equal(found.reached[clear], (distance < eps)[clear])
    assert (found.distance <= eps * (1 + 1e-9)).all()


@pytest.mark.parametrize(("make", "classes"), [(APGD, 2), (TargetedAPGD, 2), (TargetedAPGD, 4)])
def test_in_l1_what_is_well_within_reach_falls(make: Callable[..., Attack], classes: int) -> None:
    model, x = linear(classes=classes, pixels=64), 0.4 + 0.2 * images(60, 1, 8, 8, seed=3)
    (layer,) = (module for module in model if isinstance(module, nn.Linear))
    values, weight = model(x).detach(), layer.weight.detach()
    y = values.argmax(1)
    distance = torch.full((60,), math.inf, dtype=x.dtype)
    for rival in range(classes):
        slope = (weight[rival] - weight[y]).view_as(x)
        behind = values.gather(1, y[:, None])[:, 0] - values[:, rival]
        way = lift(x, slope, behind, L1())
        there = ((way * slope).flatten(1).sum(1) - behind).abs() < 1e-9
        distance = torch.where(there & (y != rival), torch.minimum(distance, L1().size(way)), distance)
    eps = float(distance.median())
    found = make(eps=eps, steps=60, norm=L1())(model, x, y)
    assert found.reached[distance < 0.9 * eps].all()
    assert not found.reached[distance > eps].any()
    assert (distance < 0.9 * eps).sum() >= 10


@given(st.integers(0, 1000), st.floats(0.01, 20), st.floats(0.1, 3))
def test_the_projection_onto_ball_and_box_is_the_nearest_point(seed: int, eps: float, scale: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(4, 3, 5, generator=generator, dtype=torch.float64)
    delta = scale * torch.randn(4, 3, 5, generator=generator, dtype=torch.float64)
    found = project_boxed(x, delta, eps)
    assert (L1().size(found) <= eps * (1 + 1e-9)).all()
    assert float((x + found).min()) >= -1e-12 and float((x + found).max()) <= 1 + 1e-12
    assert torch.allclose(project_boxed(x, found, eps), found, atol=1e-9)
    # the obtuse angle that makes it the nearest: no other allowed change lies on the side of `delta`
    for other in (0.0, 1.0):
        corner = project_boxed(x, torch.rand(x.shape, generator=generator, dtype=x.dtype) - x, eps) * other
        assert (((delta - found) * (corner - found)).flatten(1).sum(1) <= 1e-9).all()


def test_what_falls_early_costs_no_more() -> None:
    model, x = linear(), images(20, 1, 3, 3)
    found = APGD(eps=0.5, steps=100)(model, x, model(x).argmax(1))
    assert found.reached.all()
    assert found.backwards.max() < 20


def test_a_gradient_is_averaged_over_passes() -> None:
    model, x = smooth(), images(3, 1, 6, 6)
    y = model(x).argmax(1)
    once, often = APGD(eps=1e-4, steps=5)(model, x, y), APGD(eps=1e-4, steps=5, samples=4)(model, x, y)
    assert often.backwards.tolist() == [4 * count for count in once.backwards.tolist()]
    assert torch.allclose(once.x, often.x)  # since this network answers the same every time


def test_the_versions_are_those_of_the_paper() -> None:
    standard = AutoAttack(eps=0.1).parts
    assert [type(part) for part in standard] == [APGD, TargetedAPGD, FAB, Square]
    assert standard[3] == Square(eps=0.1, queries=5000)
    assert AutoAttack(eps=0.1, version="plus").parts[:2] == (
        Repeat(APGD(eps=0.1), 5),
        Repeat(APGD(eps=0.1, loss="dlr"), 5),
    )
    assert AutoAttack(eps=0.1, version="rand").parts[0] == APGD(eps=0.1, samples=20)


@pytest.mark.slow
@pytest.mark.parametrize("classes", [2, 3, 5])
def test_the_ensemble_takes_any_number_of_classes(classes: int) -> None:
    model, x = linear(classes=classes), 0.4 + 0.2 * images(8, 1, 3, 3, seed=3)
    y = model(x).argmax(1)
    distance = closed_form(model, x, 1.0)
    eps = float(distance.median())
    found = AutoAttack(eps=eps, steps=60, queries=100)(model, x, y)
    clear = (distance / eps - 1).abs() > 0.01
    assert torch.equal(found.reached[clear], (distance < eps)[clear])
    assert found.part.max() <= 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: APGD(eps=0), "APGD has eps=0; a budget is a length above 0 in [0, 1] pixel units"),
        (lambda: APGD(norm=L0()), "APGD works in linf, l2, rms or l1, not in L0(); take pgd or fmn for that"),
        (lambda: APGD(samples=0), "APGD has samples=0; a gradient is taken of 1 pass or more"),
        (lambda: APGD(steps=0), "APGD has steps=0; a search takes 1 step or more"),
        (lambda: APGD(loss="targeted-dlr"), "APGD has loss='targeted-dlr' (there are: cross-entropy, dlr, margin)"),
        (
            lambda: TargetedAPGD(loss="dlr"),
            "TargetedAPGD has loss='dlr' (there are: targeted-cross-entropy, targeted-dlr)",
        ),
        (lambda: AutoAttack(version="standrad"), "AutoAttack has version='standrad' (did you mean 'standard'?)"),
        (lambda: AutoAttack(norm=L1()), "AutoAttack has norm=L1(); its parts have Linf and L2 in common"),
        (lambda: AutoAttack(queries=0), "AutoAttack has queries=0; Square asks 1 time or more"),
        (lambda: TargetedAPGD(classes=0), "TargetedAPGD has classes=0; it tries 1 wrong class or more"),
    ],
)
def test_settings_that_make_no_ascent(make: Callable[[], Attack], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        make()
