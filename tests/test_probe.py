import copy
import re
import subprocess
import sys
from unittest.mock import Mock

import pytest
import torch
from torch import Tensor, nn

from networks import Counting, images, linear, smooth
from pellucid.autograd import fast_second_order
from pellucid.batch import Batch
from pellucid.errors import ConfigError, ShapeError
from pellucid.probe import Probe, Quantity, frozen

X = images(5, 1, 6, 6)
Y = torch.tensor([0, 1, 2, 3, 0])


def test_the_gradient_of_a_linear_network_is_its_weight() -> None:
    network = linear(pixels=36)
    weight = network.get_parameter("1.weight").detach()
    probe = Probe(network, Batch(X, Y))
    assert torch.allclose(probe.gradient("label-logit").flatten(1), weight[Y])
    assert torch.allclose(probe.gradient(2).flatten(1), weight[2].expand(5, -1))
    assert torch.allclose(probe.gradient(Y.flip(0)).flatten(1), weight[Y.flip(0)])
    share = probe.logits.detach().softmax(1) - torch.nn.functional.one_hot(Y, 4)
    assert torch.allclose(probe.gradient("loss").flatten(1), share @ weight)


def test_gradients_are_those_of_each_image_alone() -> None:
    network = smooth()
    together = Probe(network, Batch(X, Y)).gradient("loss")
    for row in range(len(X)):
        alone = Probe(network, Batch(X[row : row + 1], Y[row : row + 1])).gradient("loss")
        assert torch.allclose(alone[0], together[row])


def test_all_who_ask_share_one_forward_pass() -> None:
    network = Counting(smooth())
    probe = Probe(network, Batch(X, Y), layers=("network.1",))
    for of in ("loss", "loss", "label-logit"):
        probe.gradient(of)
    probe.features("network.1")
    assert network.forwards == probe.forwards == 1
    assert probe.backwards == 2


def test_pullback_is_the_gradient_of_each_weighted_sum() -> None:
    probe = Probe(smooth(), Batch(X, Y))
    eye = torch.eye(4, dtype=torch.float64)[:, None].expand(-1, 5, -1)
    jacobian = probe.pullback(eye)
    for k in range(4):
        assert torch.allclose(jacobian[k], probe.gradient(k))
    assert torch.allclose(probe.pullback(eye[1:2])[0], jacobian[1])


def test_second_order_gradients_reach_the_parameters_and_first_order_ones_do_not() -> None:
    network = smooth()
    assert Probe(network, Batch(X, Y)).gradient("loss").requires_grad
    assert not Probe(network, Batch(X, Y), second_order=False).gradient("loss").requires_grad


def test_a_detached_gradient_is_the_same_without_a_graph() -> None:
    network = smooth()
    plain = Probe(network, Batch(X, Y))
    quantities: list[Quantity | int | Tensor] = ["loss", "label-logit", 2, Y.flip(0)]
    for of in quantities:
        probe = Probe(network, Batch(X, Y))
        alone = probe.gradient(of, detached=True)
        assert not alone.requires_grad and torch.equal(alone, plain.gradient(of))
        assert probe.gradient(of, detached=True) is alone and probe.backwards == 1


def test_a_graph_serves_who_needs_none_and_is_made_for_who_does() -> None:
    probe = Probe(smooth(), Batch(X, Y))
    graph = probe.gradient("label-logit")
    constant = probe.gradient("label-logit", detached=True)
    assert probe.backwards == 1 and not constant.requires_grad and torch.equal(constant, graph)
    other = Probe(smooth(), Batch(X, Y))
    constant = other.gradient("label-logit", detached=True)
    later = other.gradient("label-logit")
    assert (other.forwards, other.backwards) == (1, 2) and later.requires_grad and torch.equal(constant, later)
    (through,) = torch.autograd.grad(later.square().sum(), other.x)
    assert float(through.abs().sum()) > 0


class Quadratic(nn.Module):
    """Half of x H x, and three times it."""

    def __init__(self) -> None:
        super().__init__()
        half = torch.randn(36, 36, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        self.hessian = nn.Parameter(half + half.T)

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(1)
        value = (flat @ self.hessian * flat).sum(1) / 2
        return torch.stack([value, 3 * value], 1)


def test_curvature_is_the_hessian_times_a_vector() -> None:
    network, y = Quadratic(), torch.tensor([0, 1, 0, 1, 1])
    probe = Probe(network, Batch(X, y))
    vectors = images(5, 1, 6, 6, seed=1)
    expected = (1.0 + 2 * y)[:, None] * (vectors.flatten(1) @ network.hessian)
    product = probe.curvature(vectors, "label-logit")
    assert torch.allclose(product.flatten(1), expected, rtol=1e-12)
    assert torch.allclose(probe.curvature(vectors, y), product) and (probe.forwards, probe.backwards) == (1, 4)
    (third,) = torch.autograd.grad(product.sum(), network.hessian)
    assert float(third.abs().sum()) > 0


def test_curvature_is_the_difference_of_gradients() -> None:
    network, vectors = smooth(), images(5, 1, 6, 6, seed=1)
    quantities: tuple[Quantity, ...] = ("loss", "label-logit")
    for of in quantities:
        ends = [Probe(network, Batch.trusted(X + by * vectors, Y, {})).gradient(of) for by in (1e-5, -1e-5)]
        product = Probe(network, Batch(X, Y)).curvature(vectors, of)
        assert torch.allclose(product, (ends[0] - ends[1]) / 2e-5, rtol=1e-6, atol=1e-9)


def test_what_does_not_bend_has_no_curvature() -> None:
    relu = nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 4)).double()
    for network in (linear(pixels=36), relu):
        for learning in (True, False):
            network.requires_grad_(learning)
            assert not bool(Probe(network, Batch(X, Y)).curvature(X, "label-logit").any())


@pytest.mark.parametrize("second", [False, True])
def test_curvature_is_for_probes_that_differentiate_it(second: bool) -> None:
    message = (
        "this probe takes no third derivatives; let the term's third_order say that it needs them, "
        "or make it with Probe(..., third_order=True)"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        Probe(smooth(), Batch(X, Y), second_order=second, third_order=not second).curvature(X, "label-logit")


def normalized(norm: nn.Module, *, flat: bool = False) -> nn.Module:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        convolve, linear = nn.Conv2d(1, 3, 3), nn.Linear(48, 4)
        before = (convolve, nn.Flatten(), norm) if flat else (convolve, norm, nn.Softplus(), nn.Flatten())
        network = nn.Sequential(*before, linear, nn.Softplus(), nn.Linear(4, 4)).double().train()
    for number, parameter in enumerate(norm.parameters()):
        nn.init.normal_(parameter, 1, 0.3, generator=torch.Generator().manual_seed(number))
    return network


@pytest.mark.parametrize(
    "network",
    [
        normalized(nn.BatchNorm2d(3)),
        normalized(nn.BatchNorm1d(48), flat=True),
        normalized(nn.InstanceNorm2d(3, affine=True)),
        normalized(nn.GroupNorm(3, 3)),
        normalized(nn.LayerNorm(48), flat=True),
        normalized(nn.LayerNorm([3, 4, 4], bias=False)),
    ],
    ids=["batch", "batch-flat", "instance", "group", "layer-flat", "layer"],
)
@pytest.mark.parametrize("exchanged", [True, False], ids=["exchanged", "composed"])
def test_third_derivatives_through_normalizations_are_right(
    network: nn.Module, exchanged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchanged:  # as where there are no fast operations, such as on other devices
        for module in ("third_order", "batch_norm", "convolution", "second_order"):
            monkeypatch.setattr(f"pellucid.autograd.{module}.replaceable", Mock(return_value=False))
    vectors = images(5, 1, 6, 6, seed=1)

    def bent() -> Tensor:
        return Probe(network, Batch(X, Y)).curvature(vectors, "label-logit").square().sum()

    parameters = list(network.parameters())
    gradients = torch.autograd.grad(bent(), parameters, materialize_grads=True)
    for number, (parameter, gradient) in enumerate(zip(parameters, gradients, strict=True)):
        generator = torch.Generator().manual_seed(number)
        direction, ends = torch.randn(gradient.shape, generator=generator, dtype=torch.float64), list[float]()
        for by in (1e-5, -1e-5):
            with torch.no_grad():
                parameter.add_(by * direction)
            ends.append(float(bent().detach()))
            with torch.no_grad():
                parameter.sub_(by * direction)
        slope = (ends[0] - ends[1]) / 2e-5
        assert float((gradient * direction).sum()) == pytest.approx(slope, rel=1e-5, abs=1e-6 * abs(ends[0]))


@pytest.mark.parametrize("norm", [nn.BatchNorm1d(48), nn.LayerNorm(48), nn.InstanceNorm1d(48, affine=True)])
@pytest.mark.parametrize("training", [True, False])
def test_normalizations_with_right_third_derivatives_are_pytorchs(norm: nn.Module, training: bool) -> None:
    norms = [copy.deepcopy(norm).double().train(training) for _ in range(2)]
    x = images(5, 48, 7) if isinstance(norm, nn.InstanceNorm1d) else images(5, 48)
    with fast_second_order(third_order=True):
        ours = norms[0](x)
    assert torch.allclose(ours, norms[1](x), rtol=1e-12)
    assert all(torch.equal(one, other) for one, other in zip(norms[0].buffers(), norms[1].buffers(), strict=True))


def test_at_keeps_the_graph_that_leads_to_the_new_images() -> None:
    network = smooth()
    probe = Probe(network, Batch(X, Y), seed=3)
    there = probe.at((X + 0.01 * probe.gradient("loss")).clamp(0, 1))
    (gradient,) = torch.autograd.grad(there.losses.sum(), probe.x)
    assert bool(gradient.isfinite().all()) and float(gradient.abs().sum()) > 0
    assert torch.equal(there.noise.uniform(2), probe.noise.uniform(2))


def test_features_are_the_output_of_the_named_layer() -> None:
    network = smooth()
    probe = Probe(network, Batch(X, Y), layers=("0",))
    assert torch.equal(probe.features("0"), network.get_submodule("0")(X))
    message = "this probe does not record the layer '1'; make it with Probe(..., layers=('1',))"
    with pytest.raises(ShapeError, match=re.escape(message)):
        probe.features("1")
    with pytest.raises(ShapeError, match=re.escape("the network has no layer 'x' (its first ones are: 0, 1, 2, 3)")):
        Probe(network, Batch(X, Y), layers=("x",)).logits  # noqa: B018


class Tupled(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.flatten(1), x


@pytest.mark.parametrize(
    ("network", "got"), [(Tupled(), "tuple"), (nn.Identity(), "shape (5, 1, 6, 6)")], ids=["tuple", "image"]
)
def test_what_is_no_logits_is_refused(network: nn.Module, got: str) -> None:
    message = f"the network returned {got} for 5 images; it must return (images, classes)"
    with pytest.raises(ShapeError, match=re.escape(message)):
        Probe(network, Batch(X, Y)).logits  # noqa: B018


class Careless(nn.Module):
    """Changes a buffer in every mode, by writing into it and by putting another in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1)
        self.fixed = nn.Dropout()
        self.linear = nn.Linear(36, 4)
        self.register_buffer("seen", torch.zeros(1))
        self.register_buffer("replaced", torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        self.seen += 1
        self.replaced = self.replaced + 1
        return self.linear(self.norm(x).flatten(1))


@pytest.mark.parametrize("fails", [False, True])
def test_a_frozen_model_is_afterwards_as_it_was(fails: bool) -> None:
    model = Careless().double()
    model.train()
    model.fixed.eval()
    model.linear.bias.requires_grad_(False)
    model.norm.weight.grad = torch.ones(1, dtype=torch.float64)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    required = [parameter.requires_grad for parameter in model.parameters()]
    try:
        with frozen(model) as still:
            assert not any(module.training for module in still.modules())
            assert not any(parameter.requires_grad for parameter in still.parameters())
            still.train()
            still(X)
            model.norm.weight.grad = None
            if fails:
                raise RuntimeError
    except RuntimeError:
        pass
    assert [module.training for module in model.modules()] == modes
    assert [parameter.requires_grad for parameter in model.parameters()] == required
    assert model.norm.weight.grad is not None and float(model.norm.weight.grad) == 1
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("asked", ["curvature(x, 'label-logit')", "pullback(torch.ones(1, 2, 3))"])
def test_what_torch_imports_on_the_way_back_is_not_blamed_on_the_network(asked: str) -> None:
    program = (
        "import torch; from pellucid import Batch, Probe; x = torch.rand(2, 4); "
        "network = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softplus()); "
        f"Probe(network, Batch(x, torch.zeros(2, dtype=torch.long))).{asked}"
    )
    ended = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)  # noqa: PLW1510
    assert (ended.returncode, ended.stderr) == (0, "")
