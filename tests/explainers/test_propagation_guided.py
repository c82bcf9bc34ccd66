from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from networks import images, listed, side_of
from pellucid.explainers import DeconvNet, Explainer, Gradient, GuidedBackprop, Smooth
from pellucid.models import MODELS, HalfHuber, build
from pellucid.testing.specimens import left_as_it_was

X = images(3, 1, 4, 4)
LIT = X[[0, 2]]  # of the other one, guided signals are all held back
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


def _written_over(x: Tensor) -> Tensor:
    x = x.clone()
    x[x < 0] = 0
    return x


RELUS: dict[str, Callable[[Tensor], Tensor]] = {
    "F.relu": F.relu,
    "torch.relu": torch.relu,
    "method": Tensor.relu,
    "torch.relu_": torch.relu_,
    "method in place": Tensor.relu_,
    "module": nn.ReLU(),
    "module in place": nn.ReLU(inplace=True),
    "F.relu in place": lambda x: F.relu(x, inplace=True),
    "aten": torch.ops.aten.relu.default,
    "clamp": lambda x: x.clamp(min=0),
    "clamp in place": lambda x: x.clamp_(min=0),
    "torch.clamp": lambda x: torch.clamp(x, 0.0),
    "clamp by a tensor": lambda x: x.clamp(torch.zeros(())),
    "clip": lambda x: x.clip(0),
    "torch.clip": lambda x: torch.clip(x, min=0),
    "clip in place": lambda x: x.clip_(0),
    "clamp_min": lambda x: x.clamp_min(0),
    "clamp_min in place": lambda x: x.clamp_min_(0),
    "threshold": lambda x: F.threshold(x, 0, 0),
    "threshold module": nn.Threshold(0, 0),
    "threshold in place": lambda x: F.threshold(x, 0, 0, inplace=True),
    "threshold_": lambda x: torch.threshold_(x, 0, 0),
    "maximum": lambda x: torch.maximum(x, torch.zeros_like(x)),
    "maximum, turned": lambda x: torch.maximum(torch.zeros(()), x),
    "fmax": lambda x: torch.fmax(x, torch.zeros(())),
    "max": lambda x: torch.max(x, torch.tensor(0.0)),
    "method max": lambda x: x.max(x.new_zeros(1)),
    "where": lambda x: torch.where(x > 0, x, 0),
    "where, of zeros": lambda x: torch.where(x >= 0, x, torch.zeros_like(x)),
    "where, turned": lambda x: torch.where(x < 0, 0.0, x),
    "where, not": lambda x: torch.where(~(x > 0), 0.0, x),
    "method where": lambda x: x.where(x > 0, 0.0),
    "masked_fill": lambda x: x.masked_fill(x < 0, 0),
    "masked_fill in place": lambda x: x.masked_fill_(x.le(0), 0.0),
    "times where": lambda x: x * (x > 0),
    "times where, cast": lambda x: (x > 0).to(x) * x,
    "times where, in place": lambda x: x.mul_((x > 0).double()),
    "written over": _written_over,
}

# none of these networks' values reaches the ceiling, where the slope is 0 as well
CAPPED: dict[str, Callable[[Tensor], Tensor]] = {
    "F.relu6": F.relu6,
    "relu6 module": nn.ReLU6(),
    "relu6 in place": nn.ReLU6(inplace=True),
    "F.relu6 in place": lambda x: F.relu6(x, inplace=True),
    "hardtanh": nn.Hardtanh(0, 6),
    "hardtanh in place": nn.Hardtanh(0, 6, inplace=True),
    "F.hardtanh": lambda x: F.hardtanh(x, min_val=0.0, max_val=6.0),
    "hardtanh_": lambda x: F.hardtanh_(x, 0.0, 6.0),
    "clamp": lambda x: x.clamp(0, 6),
    "clamp in place": lambda x: x.clamp_(0, 6),
    "clip": lambda x: torch.clip(x, 0, 6),
}


@pytest.mark.parametrize(
    "relu", [*RELUS.values(), *CAPPED.values()], ids=[*RELUS, *(f"{name}, 6" for name in CAPPED)]
)
def test_every_way_to_write_a_relu_is_found(relu: Callable[[Tensor], Tensor]) -> None:
    model = Dense(relu)
    assert torch.allclose(GuidedBackprop()(model, X, 1).map, model.by_hand(lambda x: (x > 0).double(), 1))
    assert torch.allclose(DeconvNet()(model, X, 1).map, model.by_hand(torch.ones_like, 1))


@pytest.mark.parametrize("explainer", BOTH)
def test_slopes_beyond_a_ceiling_are_zero_only_where_the_slope_enters(explainer: Explainer) -> None:
    model = Dense(nn.ReLU6())
    with torch.no_grad():
        model.first.weight.mul_(30)
        model.last.weight.abs_()
    slopes: list[Callable[[Tensor], Tensor]] = [lambda x: ((x > 0) & (x < 6)).double(), torch.ones_like]
    assert torch.allclose(explainer(model, X, 1).map, model.by_hand(slopes[int(isinstance(explainer, DeconvNet))], 1))


def _turned(x: Tensor) -> Tensor:
    return F.relu(-2 * x)


def test_a_relu_of_what_was_turned_keeps_the_turn() -> None:
    """The scale before an activation is no part of it."""
    model = Dense(_turned)
    by_hand = Dense(F.relu)
    with torch.no_grad():
        for turned, layer in ((by_hand.first, model.first), (by_hand.second, model.second)):
            turned.weight.copy_(-2 * layer.weight)
            turned.bias.copy_(-2 * layer.bias)
    for explainer in BOTH:
        assert torch.allclose(explainer(model, X, 1).map, explainer(by_hand, X, 1).map)


HOLDS: list[Callable[[Tensor], Tensor]] = [
    lambda x: x.clamp(0, 1),
    Tensor.relu,
    lambda x: ((x - 0.5) / 0.2).clamp(-9, 9) * 0.2 + 0.5,
]


@pytest.mark.parametrize("explainer", BOTH)
def test_pixels_that_are_held_in_their_range_are_no_activation(explainer: Explainer) -> None:
    model = Dense(nn.ReLU())
    plain = explainer(model, LIT, 0)
    for hold in HOLDS:
        held = explainer(nn.Sequential(_Does(hold), model), LIT, 0)
        assert torch.allclose(held.map, plain.map)
        assert held.notes == plain.notes == ((),) * 2


class _Does(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


PLAIN = "the map is the plain gradient: no ReLU, or activation like it, was found to hold signals back at"


SAID: list[tuple[Callable[[Tensor], Tensor], tuple[str, ...]]] = [
    (torch.tanh, (PLAIN, "signals passed tanh as gradients do; the method holds back at ReLU")),
    (nn.Hardtanh(-1, 1), (PLAIN, "signals passed hardtanh as gradients do; the method holds back at ReLU")),
    (lambda x: x.clamp(0.1, 6), (PLAIN, "signals passed clamp as gradients do; the method holds back at ReLU")),
    (lambda x: (x + x.abs()) / 2, (PLAIN,)),
    (lambda x: x, (PLAIN,)),
    (nn.ReLU(), ()),
    (nn.GELU(), ("the method was made for ReLU; signals were held back at gelu as well",)),
    (HalfHuber(), ("the method was made for ReLU; signals were held back at one put together as well",)),
    (
        lambda x: F.leaky_relu(F.silu(x)).sigmoid(),
        (
            "the method was made for ReLU; signals were held back at leaky_relu and silu as well",
            "signals passed sigmoid as gradients do; the method holds back at ReLU",
        ),
    ),
]


@pytest.mark.parametrize("explainer", BOTH)
@pytest.mark.parametrize(("activation", "notes"), SAID)
def test_what_the_method_did_not_do_is_said(
    explainer: Explainer, activation: Callable[[Tensor], Tensor], notes: tuple[str, ...]
) -> None:
    model = Dense(activation)
    found = explainer(model, LIT, 0)
    assert found.notes == (notes,) * 2
    plain = torch.equal(found.map, Gradient()(model, LIT, 0).map)
    assert plain == (PLAIN in notes)
    smoothed = Smooth(explainer, samples=3)(model, LIT, 0)
    of_the_method = [tuple(note for note in own if "the noise changed nothing" not in note) for own in smoothed.notes]
    assert of_the_method == [notes] * 2


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("explainer", BOTH)
def test_where_no_signal_was_held_back_the_map_says_so(explainer: Explainer, dtype: torch.dtype) -> None:
    model = Dense(nn.ReLU())
    with torch.no_grad():
        for layer in (model.first, model.second, model.last):
            layer.weight.abs_()
            layer.bias.abs_()
    model = model.to(dtype)
    notes = explainer(model, X.to(dtype), 1).notes
    assert notes == (("the map is the plain gradient: the method held no signal back",),) * 3


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
    model, side = listed(name, channels=1, classes=4, **SMALL.get(name, {})).eval(), side_of(name)
    assert bool(explainer(model, images(1, 1, side, side).float(), 0).map.any())


@pytest.mark.parametrize("explainer", BOTH)
def test_the_network_is_left_as_it_was(explainer: Explainer) -> None:
    left_as_it_was(lambda model: explainer(model, images(2, 1, 6, 6), 0))
