"""FAB without targets, where the nearest point is known in closed form."""

import math
import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from networks import images, linear, smooth
from pellucid.attacks import FAB, Attack, AutoAttack, BelowChance, Repeat, UntargetedFAB
from pellucid.attacks.fab import Liftable
from pellucid.errors import ConfigError
from pellucid.norms import L1, L2, Linf


def right(model: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        return model(x).argmax(1)


@pytest.mark.parametrize(("norm", "order"), [(Linf(), 1), (L2(), 2), (L1(), math.inf)])
def test_on_a_linear_network_it_comes_near_the_nearest_of_all_boundaries(norm: Liftable, order: float) -> None:
    model, x = linear(classes=4), 0.45 + 0.1 * images(6, 1, 3, 3, seed=4)
    (layer,) = (module for module in model if isinstance(module, nn.Linear))
    with torch.no_grad():  # the gray image on all boundaries at once keeps the nearest points far from the walls
        layer.bias.copy_(-layer.weight.sum(1) / 2)
    y, logits, weight = right(model, x), model(x).detach(), layer.weight.detach()
    behind, slopes = logits.gather(1, y[:, None]) - logits, weight[y][:, None] - weight
    exact = (behind / torch.linalg.vector_norm(slopes, order, dim=2)).nan_to_num(math.inf).amin(1)
    found = UntargetedFAB(eps=math.inf, norm=norm, steps=20, start=0)(model, x, y)
    assert found.reached.all()
    assert (found.distance >= exact * (1 - 1e-9)).all()
    assert (found.distance <= 1.05 * exact).all()
    within = UntargetedFAB(eps=1.05 * exact.max().item(), norm=norm, steps=20)(model, x, y)
    assert within.reached.all()


def test_with_two_classes_it_is_fab() -> None:
    model, x = smooth(classes=2), images(4, 1, 6, 6)
    y = right(model, x)
    with_target = FAB(eps=math.inf, norm=L2(), steps=6)(model, x, y)
    without = UntargetedFAB(eps=math.inf, norm=L2(), steps=6, start=0)(model, x, y)
    assert torch.equal(without.x, with_target.x)


def test_restarts_begin_elsewhere_and_in_the_ball() -> None:
    model, x = smooth(), images(4, 1, 6, 6)
    seen: list[Tensor] = []
    model.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().clone()))
    attack = UntargetedFAB(eps=1e-3, steps=1, start=0.5)
    Repeat(attack, 2)(model, x, right(model, x))
    starts = [point for point in seen if 4e-4 < float(Linf().size(point - x).max()) <= 5.0001e-4]
    assert len(starts) >= 2
    assert not torch.equal(starts[0], starts[-1])


def test_the_ensemble_of_all_parts_holds_it() -> None:
    parts = AutoAttack(eps=0.1, version="plus", steps=7).parts
    assert parts[2:4] == (
        UntargetedFAB(0.1, steps=7, start=0),
        Repeat(UntargetedFAB(0.1, steps=7), 4),
    )
    assert [type(part).__name__ for part in parts[4:]] == ["Square", "TargetedAPGD", "FAB"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: UntargetedFAB(steps=0), "UntargetedFAB has steps=0; a search takes 1 step or more"),
        (lambda: UntargetedFAB(start=2), "UntargetedFAB has start=2; it is a share of eps in [0, 1]"),
        (
            lambda: UntargetedFAB(eps=math.inf),
            "UntargetedFAB has start=0.5 of no budget at all; give start=0 or an eps",
        ),
        (lambda: UntargetedFAB(bias=2), "UntargetedFAB has bias=2; it is a share in [0, 1]"),
        (
            lambda: UntargetedFAB(goal=BelowChance()),
            "UntargetedFAB has goal=BelowChance(); it walks to boundaries of the label's class, "
            "so give it Misclassified()",
        ),
    ],
)
def test_settings_that_make_no_walk(make: Callable[[], Attack], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        make()
