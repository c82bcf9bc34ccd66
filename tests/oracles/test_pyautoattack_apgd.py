"""Auto-PGD against the authors' code."""

from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from half_standing import CASES
from pellucid.attacks import APGD, AutoAttack, Repeat, TargetedAPGD
from pellucid.attacks.boxed_l1 import project_boxed
from pellucid.attacks.climb import checkpoints
from pellucid.attacks.losses import dlr, targeted_dlr
from pellucid.batch import Batch
from pellucid.norms import L1
from pellucid.protocols import Norm

pytest.importorskip("pyautoattack")
autopgd: ModuleType = pytest.importorskip("pyautoattack.autopgd_base")
authors: ModuleType = pytest.importorskip("pyautoattack.autoattack")


def standing(model: nn.Module, batch: Batch, found: Tensor) -> Tensor:
    return model(found).argmax(1) == batch.y


@pytest.mark.parametrize(("network", "norm", "eps"), CASES)
@pytest.mark.parametrize("loss", ["cross-entropy", "dlr"])
def test_the_same_images_fall(model: nn.Module, digits: Batch, norm: Norm, eps: float, loss: str) -> None:
    name = {"cross-entropy": "ce", "dlr": "dlr"}[loss]
    # the ratio has many summits, and from random starts each side finds others: three restarts even that out
    restarts = 1 if loss == "cross-entropy" else 3
    theirs = autopgd.APGDAttack(
        model,
        n_iter=50,
        norm=type(norm).__name__,
        eps=eps,
        loss=name,
        device="cpu",
        seed=0,
        n_restarts=restarts,
    )
    left = standing(model, digits, theirs.perturb(digits.x, digits.y))
    attack = APGD(eps=eps, steps=50, loss=loss, norm=norm)  # pyright: ignore[reportArgumentType]
    ours = Repeat(attack, restarts).on(model, digits)
    assert 0.1 < left.float().mean() < 0.9
    assert (left == ours.reached).sum() <= 6
    assert abs(left.sum() - (~ours.reached).sum()) <= 2  # of 200: one point


@pytest.mark.parametrize(("network", "norm", "eps"), CASES)
def test_the_same_images_fall_to_rivals(model: nn.Module, digits: Batch, norm: Norm, eps: float) -> None:
    theirs = autopgd.APGDAttack_targeted(
        model, n_iter=20, norm=type(norm).__name__, eps=eps, n_target_classes=9, device="cpu", seed=0
    )
    left = standing(model, digits, theirs.perturb(digits.x, digits.y))
    ours = TargetedAPGD(eps=eps, steps=20, norm=norm).on(model, digits)
    assert 0.1 < left.float().mean() < 0.9
    assert (left == ours.reached).sum() <= 2
    assert abs(left.sum() - (~ours.reached).sum()) <= 2


@pytest.mark.slow
@pytest.mark.parametrize("network", ["robust_digits_network"])
def test_the_same_images_fall_in_l1(model: nn.Module, digits: Batch) -> None:
    # starts are random, and from each other images fall: three restarts even that out
    theirs = autopgd.APGDAttack(
        model, n_iter=50, norm="L1", eps=1.4, loss="ce", device="cpu", seed=0, use_largereps=True, n_restarts=3
    )
    left = standing(model, digits, theirs.perturb(digits.x, digits.y))
    ours = Repeat(APGD(eps=1.4, steps=50, norm=L1()), 3).on(model, digits)
    assert 0.1 < left.float().mean() < 0.9
    assert (left == ours.reached).sum() <= 6
    assert abs(left.sum() - (~ours.reached).sum()) <= 2  # of 200: one point


@pytest.mark.parametrize("size", [5, 40])
def test_the_projection_onto_ball_and_box_is_theirs(size: int) -> None:
    generator = torch.Generator().manual_seed(0)
    x, delta = torch.rand(50, size, generator=generator), torch.randn(50, size, generator=generator)
    for eps in (0.1, 1.0, 3.0, 100.0):
        theirs = delta + autopgd.L1_projection(x, delta, eps)
        assert torch.allclose(project_boxed(x, delta, eps), theirs, atol=1e-5)


@pytest.mark.parametrize("steps", [7, 20, 50, 100, 1000])
def test_steps_are_checked_when_theirs_are(steps: int) -> None:
    attack = autopgd.APGDAttack(None, n_iter=steps, eps=0.1, device="cpu")
    attack.init_hyperparam(torch.zeros(1, 1, 2, 2))
    expected: dict[int, int] = {}
    stretch, counter = attack.n_iter_2, 0
    for number in range(steps):
        counter += 1
        if counter == stretch:
            expected[number] = stretch
            counter, stretch = 0, max(stretch - attack.size_decr, attack.n_iter_min)
    assert checkpoints(steps) == expected


def test_losses_are_theirs() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, y = torch.randn(50, 10, generator=generator), torch.randint(10, (50,), generator=generator)
    rival = (y + torch.randint(1, 10, (50,), generator=generator)) % 10
    plain = autopgd.APGDAttack(None, eps=0.1, device="cpu")
    assert torch.allclose(dlr(logits, y, rival), plain.dlr_loss(logits, y), atol=1e-5)
    aimed = autopgd.APGDAttack_targeted(None, eps=0.1, device="cpu")
    aimed.y_target = rival
    assert torch.allclose(targeted_dlr(logits, y, rival), aimed.dlr_loss_targeted(logits, y), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("network", "norm", "eps"), CASES[2:3])
def test_the_ensemble_leaves_as_many_standing(model: nn.Module, digits: Batch, norm: Norm, eps: float) -> None:
    some = Batch(digits.x[:40], digits.y[:40])
    theirs = authors.AutoAttack(model, norm=type(norm).__name__, eps=eps, version="standard", device="cpu", seed=0)
    theirs.square.n_queries = 200
    found, *_ = theirs.run_standard_evaluation(some.x, some.y, batch_size=40)
    ours = AutoAttack(eps=eps, norm=norm, queries=200).on(model, some)
    assert abs(standing(model, some, found).sum() - (~ours.reached).sum()) <= 1
