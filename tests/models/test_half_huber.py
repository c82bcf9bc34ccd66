"""The Half-Huber ReLU of Woods et al. (2019) and its derivatives, for every width."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.models import HalfHuber, build

DELTAS = [0.05, 0.25, 0.5, 1.0, 2.0, 7.0]
deltas = pytest.mark.parametrize("delta", DELTAS)


def between_kinks(delta: float) -> Tensor:
    """Points below 0, in the parabola and beyond it, none nearer to a kink than a hundredth of the width."""
    parts = torch.linspace(0.01, 0.99, 12, dtype=torch.float64)
    return (delta * torch.cat([-3 * parts, parts, 1 + 4 * parts])).requires_grad_()


def slopes(function: HalfHuber, x: Tensor) -> tuple[Tensor, Tensor]:
    (first,) = torch.autograd.grad(function(x).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    return first.detach(), second


def test_the_published_values() -> None:
    x = torch.tensor([-1, 0, 0.25, 0.5, 0.75, 1, 2])
    assert HalfHuber()(x).tolist() == [0, 0, 0.0625, 0.25, 0.5, 0.75, 1.75]


def test_another_width_has_the_values_of_the_formula() -> None:
    # the published code, right for its own width of 0.5, gives 0.516 and 5.39 here
    assert HalfHuber(0.25)(torch.tensor([0.5, 2])).tolist() == [0.375, 1.875]


@deltas
def test_derivatives_are_those_of_finite_differences(delta: float) -> None:
    x = between_kinks(delta)
    assert torch.autograd.gradcheck(HalfHuber(delta), (x,), eps=1e-7 * delta)
    assert torch.autograd.gradgradcheck(HalfHuber(delta), (x,), eps=1e-7 * delta)


@deltas
def test_derivatives_are_those_of_the_formula(delta: float) -> None:
    x = between_kinks(delta)
    first, second = slopes(HalfHuber(delta), x)
    torch.testing.assert_close(first, x.detach().clamp(0, delta) / delta, rtol=1e-12, atol=1e-12)
    inside = (x > 0) & (x < delta)
    torch.testing.assert_close(second, inside.double() / delta, rtol=1e-12, atol=1e-12)


@deltas
def test_value_and_slope_have_no_jump_at_the_kinks(delta: float) -> None:
    for kink, height, slope in ((0.0, 0.0, 0.0), (delta, delta / 2, 1.0)):
        x = torch.tensor([kink * (1 - 1e-9) - 1e-12, kink, kink * (1 + 1e-9) + 1e-12], dtype=torch.float64)
        x.requires_grad_()
        torch.testing.assert_close(HalfHuber(delta)(x).detach(), torch.full_like(x, height), rtol=1e-6, atol=1e-9)
        torch.testing.assert_close(slopes(HalfHuber(delta), x)[0], torch.full_like(x, slope), rtol=1e-6, atol=1e-9)


@given(st.floats(-50, 50), st.floats(0.01, 10), st.floats(0.1, 10))
def test_scaling_the_width_scales_the_function(x: float, delta: float, factor: float) -> None:
    point = torch.tensor(x, dtype=torch.float64)
    scaled = HalfHuber(factor * delta)(factor * point)
    torch.testing.assert_close(scaled, factor * HalfHuber(delta)(point), rtol=1e-9, atol=1e-9)


def test_a_network_passes_the_width_on() -> None:
    network = build("mlp", shape=(1, 8, 8), activation={"name": "half-huber", "delta": 0.2})
    assert {module.delta for module in network.modules() if isinstance(module, HalfHuber)} == {0.2}


@pytest.mark.parametrize("delta", [0.0, -1.0, torch.inf, torch.nan])
def test_a_width_that_is_none_is_refused(delta: float) -> None:
    message = f"half-huber has delta={delta:g}; it is the width of a parabola and must be positive"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        HalfHuber(delta)
