import re

import pytest
import torch
from torch import Tensor, nn

from networks import Counting, images, linear, smooth
from pellucid.batch import Batch
from pellucid.errors import ShapeError
from pellucid.probe import Probe, frozen

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
