"""FAB against the authors' code."""

from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from half_standing import CASES
from pellucid.attacks import FAB, Repeat, UntargetedFAB
from pellucid.attacks.fab import Liftable, lift
from pellucid.batch import Batch
from pellucid.norms import L1, L2, Linf
from pellucid.protocols import Norm

pytest.importorskip("pyautoattack")
fab_pt: ModuleType = pytest.importorskip("pyautoattack.fab_pt")
fab_projections: ModuleType = pytest.importorskip("pyautoattack.fab_projections")


def stands(model: nn.Module, batch: Batch, found: Tensor, norm: Norm, eps: float) -> Tensor:
    """Which images the authors' attack has left standing."""
    right = model(found).argmax(1) == batch.y
    return right | (norm.size(found - batch.x) > eps * (1 + 1e-5) + 1e-6)


@pytest.mark.parametrize(("network", "norm", "eps"), CASES)
def test_fab_makes_the_same_images_fall(model: nn.Module, digits: Batch, norm: Norm, eps: float) -> None:
    theirs = fab_pt.FABAttack_PT(
        model, norm=type(norm).__name__, n_iter=25, eps=eps, targeted=True, n_target_classes=9, device="cpu"
    )
    standing = stands(model, digits, theirs.perturb(digits.x, digits.y), norm, eps)
    ours = FAB(eps=eps, norm=norm, steps=25).on(model, digits)
    assert 0.2 < standing.float().mean() < 0.8
    # two of 200 images: a point that lies just outside the ball we draw onto it, where it may still be misclassified
    assert (standing == ours.reached).sum() <= 2


@pytest.mark.parametrize(("network", "norm", "eps"), CASES)
def test_fab_without_targets_makes_the_same_images_fall(
    model: nn.Module, digits: Batch, norm: Norm, eps: float
) -> None:
    theirs = fab_pt.FABAttack_PT(
        model, norm=type(norm).__name__, n_iter=25, n_restarts=1, eps=eps, targeted=False, device="cpu"
    )
    standing = stands(model, digits, theirs.perturb(digits.x, digits.y), norm, eps)
    ours = UntargetedFAB(eps=eps, norm=norm, steps=25, start=0).on(model, digits)
    assert 0.2 < standing.float().mean() < 0.8
    assert (standing == ours.reached).sum() <= 2


def test_restarts_of_fab_make_no_fewer_images_fall(robust_digits_network: nn.Module, digits: Batch) -> None:
    once = UntargetedFAB(eps=0.1, steps=10, start=0).on(robust_digits_network, digits)
    again = Repeat(UntargetedFAB(eps=0.1, steps=10), 3).on(robust_digits_network, digits)
    assert (again.reached.sum() - once.reached.sum()).abs() <= 4


@pytest.mark.parametrize("network", ["robust_digits_network"])
@pytest.mark.parametrize("norm", [Linf(), L2(), L1()])
def test_fab_finds_points_as_near(model: nn.Module, digits: Batch, norm: Norm) -> None:
    """For one target class, since the authors' code stops at the first one within its budget."""
    some = Batch(digits.x[:60], digits.y[:60])
    theirs = fab_pt.FABAttack_PT(
        model, norm=type(norm).__name__, n_iter=20, eps=1e9, targeted=True, n_target_classes=1, device="cpu"
    )
    distance = norm.size(theirs.perturb(some.x, some.y) - some.x)
    ours = FAB(eps=float("inf"), norm=norm, steps=20, classes=1).on(model, some)
    both = ours.reached & (distance > 0)
    assert both.sum() >= 50
    ratio = ours.distance[both] / distance[both]
    assert 0.99 < ratio.median() < 1.01
    assert ((ratio > 0.95) & (ratio < 1.05)).float().mean() > 0.9


@pytest.mark.parametrize("norm", [Linf(), L2(), L1()])
def test_projections_are_theirs(norm: Liftable) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(200, 20, generator=generator)
    slope, amount = torch.randn(200, 20, generator=generator), 3 * torch.randn(200, generator=generator)
    project = getattr(fab_projections, f"projection_{type(norm).__name__.lower()}")
    theirs = project(x, slope, amount + (slope * x).sum(1))
    assert torch.allclose(lift(x, slope, amount, norm), theirs, atol=1e-4)
