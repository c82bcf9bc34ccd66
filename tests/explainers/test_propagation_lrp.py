import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from networks import images, listed, side_of
from pellucid.errors import ConfigError, UnknownName
from pellucid.explainers import LRP, Explainer, InputTimesGradient
from pellucid.explainers.propagation import COMPOSITES
from pellucid.models import MODELS, build
from pellucid.testing.specimens import left_as_it_was

X = images(3, 1, 8, 8)
TINY = 1e-12
SMALL: dict[str, dict[str, Any]] = {
    "resnet18": {"width": 4},
    "preact-resnet44": {"mean": (0.4,), "std": (0.3,), "zero_init": False},
    "wide-resnet-28-10": {"side": 4},
}


class Block(nn.Module):
    """A residual block as a module that writes in place, or in functions alone."""

    def __init__(self, channels: int, *, functional: bool, in_place: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.activation = nn.ReLU(inplace=in_place)
        self.functional, self.in_place = functional, in_place

    def forward(self, x: Tensor) -> Tensor:
        if self.functional:
            main = F.conv2d(x, self.conv1.weight, padding=1)
            main = torch.relu(_normalized(main, self.norm1))
            return (_normalized(F.conv2d(main, self.conv2.weight, padding=1), self.norm2) + x).relu()
        out = self.norm2(self.conv2(self.activation(self.norm1(self.conv1(x)))))
        if self.in_place:
            out += x
        else:
            out = out + x
        return self.activation(out)


def _normalized(x: Tensor, norm: nn.BatchNorm2d) -> Tensor:
    return F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, False, 0.1, norm.eps)


def residual(
    *, functional: bool = False, in_place: bool = False, biased: bool = False, seed: int = 6
) -> nn.Sequential:
    """Two residual blocks with BatchNorm; without biases the network is homogeneous."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 12, 3, bias=False),
            nn.ReLU(),
            *[Block(12, functional=functional, in_place=in_place) for _ in range(2)],
            nn.BatchNorm2d(12),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(48, 4, bias=biased),
        )
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.weight, 0.5, 2)
                assert module.running_var is not None and module.running_mean is not None
                module.running_var.uniform_(0.1, 1)
                if biased:
                    nn.init.normal_(module.bias)
                    module.running_mean.normal_()
    return model.double().eval()


def plain(*, width: int = 1) -> nn.Sequential:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(width, 12, 3, bias=False), nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(12, 12, 3, bias=False), nn.ReLU(),
            nn.Flatten(),
            nn.Linear(12, 16, bias=False), nn.ReLU(), nn.Linear(16, 4, bias=False),
        ).double()  # fmt: skip


def sums(maps: Tensor) -> Tensor:
    return maps.flatten(1).sum(1)


@pytest.mark.parametrize("composite", COMPOSITES)
@pytest.mark.parametrize("make", [plain, residual])
def test_relevance_is_neither_made_nor_lost_without_biases(make: Callable[[], nn.Module], composite: str) -> None:
    model = make()
    for of in range(4):
        assert torch.allclose(sums(LRP(composite, TINY)(model, X, of).map), model(X)[:, of], rtol=1e-6)
        ones = sums(LRP(composite, TINY, start="one")(model, X, of).map)
        assert torch.allclose(ones, torch.ones_like(ones), rtol=1e-6)


@pytest.mark.parametrize("make", [plain, residual])
def test_epsilon_is_the_input_times_the_gradient_where_there_are_no_biases(make: Callable[[], nn.Module]) -> None:
    found, gradient = LRP("epsilon", TINY)(make(), X, 1).map, InputTimesGradient(0.0)(make(), X, 1).map
    assert torch.allclose(found, gradient, atol=1e-9)


def test_epsilon_keeps_a_share_and_so_does_the_bias() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 2)).double()
    x, weight, bias = X.flatten(1), model.get_parameter("1.weight")[0], model.get_parameter("1.bias")[0]
    z = x @ weight + bias
    found = LRP("epsilon", 0.5)(model, X, 0).map.flatten(1)
    assert torch.allclose(found, x * weight * (z / (z + 0.5 * z.sign()))[:, None])


@settings(max_examples=10)
@given(st.floats(0.1, 10), st.sampled_from(["epsilon", "epsilon-plus", "epsilon-gamma-box", "epsilon-alpha2-beta1"]))
def test_a_scale_that_the_next_layer_undoes_changes_nothing(scale: float, composite: str) -> None:
    model, scaled = plain(), plain()
    with torch.no_grad():
        scaled.get_parameter("3.weight").mul_(scale)
        scaled.get_parameter("6.weight").div_(scale)
    explainer = LRP(composite, TINY)
    assert torch.allclose(explainer(scaled, X, 2).map, explainer(model, X, 2).map, rtol=1e-6)


def test_rules_of_one_convolution_are_their_formulas() -> None:
    """Contributions to each output, one by one, of inputs and weights of either sign."""
    torch.manual_seed(1)
    model = nn.Sequential(Shift(), nn.Conv2d(1, 1, 8)).double()
    model.append(nn.Flatten()).append(nn.Linear(1, 2, bias=False).double())
    model.get_parameter("3.weight").data.fill_(1)
    weight, bias = model.get_parameter("1.weight").flatten(), model.get_parameter("1.bias")
    parts = (2 * X - 1).flatten(1) * weight
    z = parts.sum(1, keepdim=True) + bias
    up, down = parts.clamp(min=0), parts.clamp(max=0)
    all_up, all_down = up.sum(1, keepdim=True) + bias.clamp(min=0), down.sum(1, keepdim=True) + bias.clamp(max=0)
    own, all_own = torch.where(z >= 0, up, down), torch.where(z >= 0, all_up, all_down)
    low = torch.where(weight > 0, -weight, weight)  # of black where the weight is positive, of white elsewhere
    expected = {
        "epsilon": parts / z,
        "epsilon-plus": up / all_up,
        "epsilon-alpha2-beta1": 2 * up / all_up - down / all_down,
        "epsilon-gamma": (parts + 0.25 * own) / (z + 0.25 * all_own),
        "epsilon-plus-box": (parts - low) / (parts - low).sum(1, keepdim=True),
        "epsilon-plus-flat": torch.ones_like(parts) / 64,
    }
    for name, share in expected.items():
        found = LRP(name, TINY)(model, X, 0).map.flatten(1)
        assert torch.allclose(found, share * z, rtol=1e-6), name


class Shift(nn.Module):
    """Pixels in [-1, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return (x - torch.tensor([0.5])) / torch.tensor([0.5])


def test_box_shares_by_the_pixels_range_without_normalization() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 2)).double()
    x, weight = X.flatten(1), model.get_parameter("1.weight")[0]
    z = model(X)[:, :1]
    share = x * weight - weight.clamp(max=0)
    found = LRP("epsilon-plus-box", TINY)(model, X, 0).map.flatten(1)
    assert torch.allclose(found, z * share / share.sum(1, keepdim=True))
    assert bool((found * z >= 0).all())


def test_positive_contributions_everywhere_and_a_box_are_the_published_epsilon_plus_box() -> None:
    """The composite that the code of Local Gradient Alignment calls so, layer by layer as matrices, with biases."""
    torch.manual_seed(4)
    model = nn.Sequential(Shift(), nn.Conv2d(1, 3, 3, stride=2), nn.ReLU(), nn.Flatten())
    model = model.extend([nn.Linear(27, 6), nn.ReLU(), nn.Linear(6, 4)]).double()
    conv, first, last = model[1], model[4], model[6]
    assert isinstance(conv, nn.Conv2d) and isinstance(first, nn.Linear) and isinstance(last, nn.Linear)
    assert conv.bias is not None
    with torch.no_grad():
        ones = torch.eye(64, dtype=torch.float64).view(64, 1, 8, 8)
        matrix = nn.functional.conv2d(ones, conv.weight, stride=2).flatten(1)  # pixels to outputs
        bias = conv.bias.repeat_interleave(9)
        pixels = (2 * X - 1).flatten(1)
        inner = (pixels @ matrix + bias).relu()
        outer = (inner @ first.weight.T + first.bias).relu()
        arrived = torch.eye(4, dtype=torch.float64)[[2] * len(X)]
        for x, layer in ((outer, last), (inner, first)):
            up = x[:, :, None] * layer.weight.T.clamp(min=0)
            arrived = (up / (up.sum(1, keepdim=True) + layer.bias.clamp(min=0)[None, None]) @ arrived[..., None])[
                ..., 0
            ]
        parts = pixels[:, :, None] * matrix + matrix.clamp(min=0) - matrix.clamp(max=0)  # for pixels from -1 to 1
        # a bias in all three parts of the box is no bias at all
        whole = parts.sum(1, keepdim=True) + (bias - bias.clamp(min=0) - bias.clamp(max=0))
        expected = (parts / whole @ arrived[..., None])[..., 0]
    found = LRP("plus-box", TINY, start="one")(model, X, 2).map.flatten(1)
    assert torch.allclose(found, expected)
    assert not torch.allclose(LRP("epsilon-plus-box", TINY, start="one")(model, X, 2).map.flatten(1), expected)


@pytest.mark.parametrize("composite", COMPOSITES)
def test_batch_norm_is_a_part_of_the_layer_before_it(composite: str) -> None:
    model, folded = _with_norm(), _with_norm()
    conv, norm = folded[0], folded[1]
    assert isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d) and conv.bias is not None
    assert norm.running_var is not None and norm.running_mean is not None
    with torch.no_grad():
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        conv.weight.mul_(scale[:, None, None, None])
        conv.bias.copy_((conv.bias - norm.running_mean) * scale + norm.bias)
    folded[1] = nn.Identity()
    assert torch.allclose(model(X), folded(X))
    assert torch.allclose(LRP(composite)(model, X, 1).map, LRP(composite)(folded, X, 1).map)
    if "flat" not in composite:  # which asks for no values
        apart = LRP(composite, batch_norm="unchanged")(model, X, 1).map
        assert not torch.allclose(apart, LRP(composite)(folded, X, 1).map)


def _with_norm() -> nn.Sequential:
    with torch.random.fork_rng([]):
        torch.manual_seed(3)
        norm = nn.BatchNorm2d(5)
        model = nn.Sequential(nn.Conv2d(1, 5, 3, 2, 1), norm, nn.Dropout(), nn.ReLU(), nn.Flatten(), nn.Linear(80, 3))
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
        assert norm.running_var is not None and norm.running_mean is not None
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.2, 2)
    return model.double().eval()


@pytest.mark.parametrize("explainer", [LRP("epsilon"), LRP(), LRP("epsilon-gamma-box")])
@pytest.mark.parametrize("options", [{"functional": True}, {"in_place": True}])
def test_it_does_not_matter_how_a_network_is_written(explainer: Explainer, options: dict[str, bool]) -> None:
    found = explainer(residual(biased=True, **options), X, 2).map
    assert torch.allclose(found, explainer(residual(biased=True), X, 2).map)


def test_summands_share_in_proportion() -> None:
    class Sum(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            x = x.flatten(1)
            return 2 * x[:, :2] + x[:, 2:4] * torch.tensor([3.0, 1.0])

    found = LRP(epsilon=TINY)(Sum(), X, 0).map.flatten(1)
    assert torch.allclose(found[:, 0], 2 * X.flatten(1)[:, 0])
    assert torch.allclose(found[:, 2], 3 * X.flatten(1)[:, 2])
    assert not found[:, [1, *range(3, 64)]].any()


def test_a_module_may_be_used_twice() -> None:
    shared = nn.Conv2d(4, 4, 3, padding=1, bias=False)
    first, activation, last = nn.Conv2d(1, 4, 3, bias=False), nn.ReLU(), nn.Linear(144, 3, bias=False)
    model = nn.Sequential(first, activation, shared, activation, shared, activation, nn.Flatten(), last).double()
    found = LRP("epsilon", TINY)(model, X, 0).map
    assert torch.allclose(found, InputTimesGradient(0.0)(model, X, 0).map, atol=1e-9)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(4, 6, 3, stride=2, dilation=2, padding=2, groups=2, bias=False),
        nn.Conv2d(4, 6, 3, padding="same", padding_mode="reflect", bias=False),
        nn.ConvTranspose2d(4, 6, 3, stride=2, output_padding=1, bias=False),
        nn.Sequential(nn.Flatten(2), nn.Conv1d(4, 6, 5, padding=2, bias=False)),
        nn.Sequential(nn.AvgPool2d(2), nn.Dropout(), nn.Upsample(scale_factor=2, mode="bilinear")),
        nn.Sequential(nn.LeakyReLU(), nn.PReLU(), nn.AdaptiveMaxPool2d(2)),
    ],
)
def test_relevance_is_kept_by_layers_of_every_kind(layer: nn.Module) -> None:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.ReLU(), layer, nn.ReLU(), nn.Flatten())
        units = model(X.float()).shape[1]
        model = model.append(nn.Linear(units, 3, bias=False)).double().eval()
    for composite in ("epsilon", "epsilon-plus-box", "epsilon-gamma-box"):
        found = sums(LRP(composite, TINY)(model, X, 1).map)
        assert torch.allclose(found, model(X)[:, 1], rtol=1e-5), composite


@pytest.mark.parametrize("activation", ["softplus", "half-huber", "gelu", "tanh", "silu", "elu"])
def test_activations_pass_relevance_as_it_is(activation: str) -> None:
    model = build("mlp", shape=(1, 8, 8), activation=activation, hidden=(7,), classes=3).double()
    x, (first, last) = X.flatten(1), [module for module in model.modules() if isinstance(module, nn.Linear)]
    inner = first(x)
    active = model.get_submodule("activation1")(inner)
    at_active = active * last.weight[0] / last(active)[:, :1] * last(active)[:, :1]
    expected = ((at_active / inner) @ first.weight) * x
    assert torch.allclose(LRP(epsilon=TINY)(model, X, 0).map.flatten(1), expected, atol=1e-8)


SQUARES: list[Callable[[Tensor], Tensor]] = [
    lambda x: x**2, lambda x: x.pow(2.0), lambda x: torch.pow(x, exponent=2), lambda x: x * x,
]  # fmt: skip


@pytest.mark.parametrize("square", SQUARES)
def test_powers_pass_relevance_as_it_is(square: Callable[[Tensor], Tensor]) -> None:
    """As squared ReLU does in some transformers."""

    class Squared(nn.Module):
        def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
            super().__init__()
            self.inner, self.function = plain(), function

        def forward(self, x: Tensor) -> Tensor:
            return self.inner[5:](self.function(self.inner[:5](x)))

    found = LRP("epsilon", TINY)(Squared(square), X, 1).map
    expected = LRP("epsilon", TINY)(Squared(torch.square), X, 1).map
    assert torch.allclose(found, expected, rtol=1e-9, atol=1e-12) and bool(found.any())


@pytest.mark.parametrize("name", MODELS)
def test_every_listed_network_is_explained(name: str) -> None:
    options: dict[str, Any] = {"side": 8, "classes": 4, **SMALL.get(name, {})}
    side = side_of(name, options["side"])
    model, x = listed(name, channels=1, **options).eval(), images(1, 1, side, side).float()
    for composite in ("epsilon-plus-box", "epsilon-gamma-box"):
        assert bool(LRP(composite)(model, x, 0).map.any())


@pytest.mark.parametrize("composite", COMPOSITES)
def test_maps_are_truly_differentiable_through_several_smooth_layers(composite: str) -> None:
    model = build("lenet", shape=(1, 8, 8), classes=3, activation="softplus", mean=(0.4,), std=(0.3,)).double()
    explainer, x = LRP(composite, 0.1), X.clone().requires_grad_()
    weights = images(3, 1, 8, 8, seed=4)
    (explainer(model, x, 1, create_graph=True).map * weights).sum().backward()
    for leaf in (x, model.get_parameter("conv1.weight"), model.get_parameter("fc1.bias")):
        assert leaf.grad is not None
        direction = torch.randn(leaf.shape, generator=torch.Generator().manual_seed(3), dtype=leaf.dtype)
        values = list[Tensor]()
        for sign in (1, -1):
            with torch.no_grad():
                leaf.add_(sign * 1e-6 * direction)
                values.append((explainer(model, x, 1).map * weights).sum())
                leaf.sub_(sign * 1e-6 * direction)
        assert torch.allclose((leaf.grad * direction).sum(), (values[0] - values[1]) / 2e-6, rtol=1e-4, atol=1e-6)


def test_the_network_is_left_as_it_was() -> None:
    left_as_it_was(lambda model: LRP()(model, images(2, 1, 6, 6), 0))


class Odd(nn.Module):
    """Flattens, and lets a function see what comes of it."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x.flatten(1)[:, :4])


class Double(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def setup_context(ctx: object, inputs: tuple[object, ...], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: object, *gradients: Tensor) -> Tensor:
        return 2 * gradients[0]


def _double(x: Tensor) -> Tensor:
    doubled: Tensor = Double.apply(x)  # pyright: ignore[reportAssignmentType]
    return doubled


def _overwriting(x: Tensor) -> Tensor:
    hidden = x * 1
    out = F.linear(hidden, torch.ones(3, 4, dtype=x.dtype))
    hidden.relu_()
    return out


OUT_OF_SIGHT = (
    "the network computes with its images out of sight, as a custom autograd function, a compiled module or a "
    "write through a view does; write it in functions of torch, not in place"
)
PASSES = (
    "; it passes convolutions, dense layers, attention, sums and products, normalizations, pooling, activations, and "
    "what only moves values; choose another explainer, or write the network in these"
)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: LRP(epsilon=0), ConfigError, "LRP has epsilon=0; denominators need a number above 0, 1 at most"),
        (lambda: LRP(gamma=-1), ConfigError, "LRP has gamma=-1; give 0 or more"),
        (
            lambda: LRP("epsilon-pluss"),
            UnknownName,
            "no composite is called 'epsilon-pluss' (did you mean 'epsilon-plus'?)",
        ),
        (
            lambda: LRP()(Odd(lambda x: F.log_softmax(x, 1)), X, 0),
            ConfigError,
            "relevance cannot pass the function 'log_softmax' of (3, 4)" + PASSES,
        ),
        (
            lambda: LRP()(Odd(lambda x: torch.atan2(x, x.flip(1))), X, 0),
            ConfigError,
            "relevance cannot pass the function 'atan2' of (3, 4) and (3, 4)" + PASSES,
        ),
        (
            lambda: LRP()(Odd(lambda x: 1 / x), X, 0),
            ConfigError,
            "relevance cannot pass the function 'rdiv' of (3, 4)" + PASSES,
        ),
        (
            lambda: LRP()(Odd(lambda x: x.pow(-0.5)), X, 0),
            ConfigError,
            "relevance cannot pass the function 'pow' of (3, 4)" + PASSES,
        ),
        (
            lambda: LRP()(Odd(lambda x: torch.pow(2, x)), X, 0),
            ConfigError,
            "relevance cannot pass the function 'pow' of (3, 4)" + PASSES,
        ),
        (
            lambda: LRP()(Odd(_double), X, 0),
            ConfigError,
            OUT_OF_SIGHT,
        ),
        (
            lambda: LRP()(Odd(lambda x: _double(x) + x), X, 0),
            ConfigError,
            OUT_OF_SIGHT,
        ),
        (
            lambda: LRP()(Odd(_overwriting), X, 0),
            ConfigError,
            "the network writes over what 'linear' has read, and relevance needs it; "
            "make what comes after it not in-place",
        ),
        (
            lambda: LRP("epsilon-plus-box")(Odd(lambda x: x.tanh()), X, 0),
            ConfigError,
            "this composite has a rule for the layer that sees the pixels, and the network has none that sees pixels "
            "or pixels normalized by constants; choose one without box or flat, such as 'epsilon-plus'",
        ),
    ],
)
def test_what_is_refused(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        call()


def test_what_relevance_never_reaches_may_be_anything() -> None:
    def gate(x: Tensor) -> Tensor:
        F.softmax(x, 1)
        return x * 2

    assert torch.allclose(sums(LRP()(Odd(gate), X, 0).map), 2 * X[:, 0, 0, 0])
