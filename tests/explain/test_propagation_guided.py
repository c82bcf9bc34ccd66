from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from networks import images
from pellucid.explain import DeconvNet, Explainer, Gradient, GuidedBackprop
from pellucid.models import MODELS, HalfHuber, build
from pellucid.testing.specimens import left_as_it_was

X = images(3, 1, 4, 4)
BOTH = [GuidedBackprop(), DeconvNet()]
SMALL: dict[str, dict[str, Any]] = {
    "resnet18": {"shape": (1, 8, 8), "width": 4},
    "preact-resnet44": {"mean": (0.4,), "std": (0.3,)},
}


class Dense(nn.Module):
    """Two hidden layers around any activation."""

    def __init__(self, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            self.first, self.second, self.last = nn.Linear(16, 9), nn.Linear(9, 8), nn.Linear(8, 3)
        self.activation = activation
        self.double()

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.activation(self.first(x.flatten(1)))
        return self.last(self.activation(self.second(hidden)))

    def by_hand(self, slope: Callable[[Tensor], Tensor], of: int) -> Tensor:
        """The class's weights, sent back; `slope` says by what positive signals are multiplied."""
        inner = self.first(X.flatten(1))
        outer = self.second(self.activation(inner.clone()))
        signal = self.last.weight[of].clamp(min=0) * slope(outer)
        signal = (signal @ self.second.weight).clamp(min=0) * slope(inner)
        return (signal @ self.first.weight).view_as(X).detach()


def _half_huber_slope(x: Tensor) -> Tensor:
    return (x / 0.5).clamp(0, 1)


RELUS: list[Callable[[Tensor], Tensor]] = [
    F.relu,
    torch.relu,
    Tensor.relu,
    torch.relu_,
    Tensor.relu_,
    nn.ReLU(),
    nn.ReLU(inplace=True),
    lambda x: F.relu(x, inplace=True),
    lambda x: x.clamp(min=0),
    lambda x: x.clamp_min(0),
    torch.ops.aten.relu.default,
]


@pytest.mark.parametrize("relu", RELUS)
def test_every_way_to_write_a_relu_is_found(relu: Callable[[Tensor], Tensor]) -> None:
    model = Dense(relu)
    assert torch.allclose(GuidedBackprop()(model, X, 1).map, model.by_hand(lambda x: (x > 0).double(), 1))
    assert torch.allclose(DeconvNet()(model, X, 1).map, model.by_hand(torch.ones_like, 1))


def _silu_slope(x: Tensor) -> Tensor:
    return x.sigmoid() * (1 + x * (1 - x.sigmoid()))


def _leaky_slope(x: Tensor) -> Tensor:
    return torch.where(x > 0, 1.0, 0.01).double()


def _silu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(x)


@pytest.mark.parametrize(
    ("activation", "slope"),
    [
        (F.softplus, torch.sigmoid),
        (nn.Softplus(), torch.sigmoid),
        (HalfHuber(), _half_huber_slope),
        (F.leaky_relu, _leaky_slope),
        (F.silu, _silu_slope),
        (_silu, _silu_slope),
    ],
)
def test_smooth_activations_let_the_positive_part_pass(
    activation: Callable[[Tensor], Tensor], slope: Callable[[Tensor], Tensor]
) -> None:
    model = Dense(activation)
    assert torch.allclose(GuidedBackprop()(model, X, 1).map, model.by_hand(slope, 1))
    assert torch.allclose(DeconvNet()(model, X, 1).map, model.by_hand(torch.ones_like, 1))


@pytest.mark.parametrize("explainer", BOTH)
def test_without_activations_like_relu_both_are_the_gradient(explainer: Explainer) -> None:
    """Through products, sums of what hangs on each other, and what writes in place."""

    class Other(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            x = x.flatten(1)[:, :6]
            y = x.tanh() * x.flip(1) + x.flip(1).softmax(1)
            y[:, 0] = x[:, 2] * x[:, 0]
            y += y.detach().clone() * x
            y.mul_(2).sub_(x)
            return torch.cat([y, y * x, x], 1)[:, [0, 1, 4, 6, 8, 13]]

    for of in range(6):
        assert torch.allclose(explainer(Other(), X, of).map, Gradient()(Other(), X, of).map)


@pytest.mark.parametrize("explainer", BOTH)
@pytest.mark.parametrize("activation", ["softplus", "half-huber", "relu"])
def test_maps_are_truly_differentiable_through_several_layers(explainer: Explainer, activation: str) -> None:
    model = build("lenet", shape=(1, 8, 8), classes=3, activation=activation).double()
    x, weights = images(2, 1, 8, 8).requires_grad_(), images(2, 1, 8, 8, seed=4)
    (explainer(model, x, 1, create_graph=True).map * weights).sum().backward()
    for leaf in (x, model.get_parameter("conv2.weight"), model.get_parameter("conv1.bias")):
        slope = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
        direction = torch.randn(leaf.shape, generator=torch.Generator().manual_seed(3), dtype=leaf.dtype)
        values = list[Tensor]()
        for sign in (1, -1):
            with torch.no_grad():
                leaf.add_(sign * 1e-6 * direction)
                values.append((explainer(model, x, 1).map * weights).sum())
                leaf.sub_(sign * 1e-6 * direction)
        assert torch.allclose((slope * direction).sum(), (values[0] - values[1]) / 2e-6, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("explainer", BOTH)
@pytest.mark.parametrize("name", [name for name in MODELS if name != "wide-resnet-28-10"])
def test_every_listed_network_is_explained(name: str, explainer: Explainer) -> None:
    options: dict[str, Any] = {"shape": (1, 8, 8), "classes": 4, **SMALL.get(name, {})}
    assert bool(explainer(build(name, **options).eval(), images(1, 1, 8, 8).float(), 0).map.any())


@pytest.mark.parametrize("explainer", BOTH)
def test_the_network_is_left_as_it_was(explainer: Explainer) -> None:
    left_as_it_was(lambda model: explainer(model, images(2, 1, 6, 6), 0))
