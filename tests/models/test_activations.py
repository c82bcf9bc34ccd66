import math
import re
from collections.abc import Callable
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from pellucid.errors import ConfigError, UnknownName
from pellucid.models import ACTIVATIONS, HalfHuber, build
from pellucid.models.activations import Activation, activation_factory

deltas = st.floats(0.01, 10)
numbers = st.floats(-100, 100)


def by_cases(x: float, delta: float) -> float:
    if x <= 0:
        return 0.0
    return x * x / (2 * delta) if x <= delta else x - delta / 2


def test_half_huber_has_the_published_values() -> None:
    x = torch.tensor([-1, 0, 0.25, 0.5, 0.75, 1, 2])
    assert HalfHuber()(x).tolist() == [0, 0, 0.0625, 0.25, 0.5, 0.75, 1.75]


@given(numbers, deltas)
def test_half_huber_is_right_for_every_delta(x: float, delta: float) -> None:
    point = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    value = HalfHuber(delta)(point)
    (slope,) = torch.autograd.grad(value, point)
    assert math.isclose(value.item(), by_cases(x, delta), rel_tol=1e-12, abs_tol=1e-12)
    assert math.isclose(slope.item(), min(max(x, 0), delta) / delta, rel_tol=1e-12, abs_tol=1e-12)


@given(numbers, deltas)
def test_half_huber_lies_at_most_half_a_delta_below_relu(x: float, delta: float) -> None:
    gap = max(x, 0) - HalfHuber(delta)(torch.tensor(x, dtype=torch.float64)).item()
    assert -1e-12 <= gap <= delta / 2 + 1e-12


@pytest.mark.parametrize("delta", [0.1, 0.25, 0.5, 1.0, 3.0])
def test_half_huber_has_right_first_and_second_derivatives_away_from_its_kinks(delta: float) -> None:
    x = delta * torch.tensor([-2, -0.5, 0.1, 0.5, 0.9, 1.1, 4], dtype=torch.float64)
    x.requires_grad_()
    assert torch.autograd.gradcheck(HalfHuber(delta), (x,), eps=1e-7)
    assert torch.autograd.gradgradcheck(HalfHuber(delta), (x,), eps=1e-7)
    value = HalfHuber(delta)(x).sum()
    (slope,) = torch.autograd.grad(value, x, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), x)
    torch.testing.assert_close(bend, torch.tensor([0, 0, 1, 1, 1, 0, 0], dtype=torch.float64) / delta)


def test_half_huber_and_its_slopes_stay_finite_at_infinity() -> None:
    x = torch.tensor([-math.inf, math.inf, -3e38, 3e38], requires_grad=True)
    value = HalfHuber()(x)
    (slope,) = torch.autograd.grad(value.sum(), x)
    assert value.tolist() == [0, math.inf, 0, pytest.approx(3e38)]
    assert slope.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("delta", [0.0, -1.0, math.inf, math.nan])
def test_half_huber_refuses_a_width_that_is_none(delta: float) -> None:
    message = f"half-huber has delta={delta:g}; it is the width of a parabola and must be positive"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        HalfHuber(delta)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_leaves_its_input_alone_and_has_two_derivatives(name: str) -> None:
    x = torch.tensor([-1.3, -0.2, 0.3, 1.7], dtype=torch.float64, requires_grad=True)
    kept = x.detach().clone()
    activation = activation_factory(name)()
    assert torch.autograd.gradcheck(activation, (x,))
    assert torch.autograd.gradgradcheck(activation, (x,))
    assert torch.equal(x, kept)


@pytest.mark.parametrize(
    "activation", [{"name": "softplus", "beta": 20}, partial(nn.Softplus, beta=20)], ids=["table", "factory"]
)
def test_an_activation_may_have_options(activation: Activation) -> None:
    network = build("mlp", shape=(1, 8, 8), activation=activation)
    assert [m.beta for m in network.modules() if isinstance(m, nn.Softplus)] == [20, 20]


@pytest.mark.parametrize("name", ["mlp", "lenet", "simple-cnn", "resnet18", "preact-resnet44"])
def test_each_use_of_an_activation_is_a_module_of_its_own(name: str) -> None:
    network = build(name, activation="half-huber")
    calls: list[nn.Module] = []
    for module in network.modules():
        if isinstance(module, HalfHuber):
            module.register_forward_hook(lambda used, _arguments, _result: calls.append(used))
    shape = (1, 28, 28) if name in {"mlp", "lenet", "simple-cnn"} else (3, 32, 32)
    network.eval()(torch.full((1, *shape), 0.5))
    assert len(calls) == len(set(calls)) == sum(isinstance(m, HalfHuber) for m in network.modules())


def refused(activation: object) -> Callable[[], object]:
    return lambda: build("mlp", activation=activation)


def test_a_misspelled_activation_is_named() -> None:
    message = "no activation is called 'rleu' (did you mean 'relu'?)"
    with pytest.raises(UnknownName, match=f"^{re.escape(message)}$"):
        refused("rleu")()


@pytest.mark.parametrize(
    ("activation", "message"),
    [
        ({"name": "softplus", "betta": 3}, "'softplus' has no option 'betta' (did you mean 'beta'?)"),
        ({"beta": 3}, "the activation {'beta': 3} has no name; write {'name': 'softplus', 'beta': 20}"),
        (
            {"name": "relu", "inplace": True},
            "the activation 'relu' is in-place; gradients need the values that it would overwrite",
        ),
        (nn.ReLU(), "the activation ReLU() is one module; give what makes one, such as its class"),
    ],
)
def test_an_activation_that_cannot_be_is_refused(activation: object, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        refused(activation)()
