import copy
import math
from itertools import chain

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from networks import listed, side_of
from pellucid.errors import ShapeError
from pellucid.models import MODELS, build, fit_weights
from pellucid.models.preact_resnet44 import PreactBlock

COUNTS = {
    "lenet": 61_706,
    "lenet-joo2023": 1_116_970,
    "simple-cnn": 3_274_634,
    "resnet18": 11_173_962,
    "preact-resnet44": 681_626,
    "wide-resnet-28-10": 36_489_290,
    "vit": 683_242,
}


def batch(shape: tuple[int, int, int] = (3, 8, 8), dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    x = torch.rand(4, *shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return x.to(dtype), torch.tensor([0, 1, 2, 9])


def images_for(name: str, side: int = 8) -> tuple[int, int, int]:
    return 3, side_of(name, side), side_of(name, side)


def penalized_loss(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    x = x.detach().requires_grad_()
    loss = F.cross_entropy(network(x), y)
    (gradient,) = torch.autograd.grad(loss, x, create_graph=True)
    return loss + gradient.square().sum()


@pytest.mark.parametrize("name", COUNTS)
def test_networks_have_the_published_number_of_parameters(name: str) -> None:
    assert sum(parameter.numel() for parameter in build(name).parameters()) == COUNTS[name]


def test_simple_cnn_gives_the_logits_and_loss_of_the_published_code() -> None:
    network = build("simple-cnn").eval()
    for k, parameter in enumerate(network.parameters()):
        scale = 1 / math.sqrt(parameter[0].numel()) if parameter.ndim > 1 else 0.01
        a = torch.arange(parameter.numel(), dtype=torch.float64)
        parameter.data = (scale * torch.sin(0.37 * a + k)).reshape(parameter.shape).float()
    n = torch.arange(8 * 784, dtype=torch.float64)
    x = (0.5 + 0.5 * torch.sin(0.1 * n)).reshape(8, 1, 28, 28).float().requires_grad_()
    y = torch.tensor([3, 1, 4, 1, 5, 9, 2, 6])
    logits = network(x)
    expected = torch.tensor([0.061948, -0.049337, -0.009046, 0.079735])
    torch.testing.assert_close(logits[0, :4], expected, rtol=1e-4, atol=1e-6)
    assert F.cross_entropy(logits, y).item() == pytest.approx(2.3079720, rel=1e-4)
    (gradient,) = torch.autograd.grad(logits.gather(1, y[:, None]).sum(), x)
    norms = [0.178222, 0.137844, 0.129025, 0.110950, 0.034271, 0.092089, 0.079057, 0.066932]
    assert gradient.flatten(1).norm(dim=1).tolist() == pytest.approx(norms, rel=1e-4)


@pytest.mark.parametrize("activation", ["relu", "softplus", "half-huber", "silu"])
@pytest.mark.parametrize("name", MODELS)
def test_losses_of_gradients_reach_the_weights(name: str, activation: str) -> None:
    network = listed(name, activation=activation)
    penalized_loss(network, *batch(images_for(name))).backward()
    gradients = [parameter.grad for parameter in network.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
    assert gradients[0] is not None and gradients[0].abs().max() > 0


@pytest.mark.parametrize("name", ["mlp", "lenet", "lenet-joo2023", "simple-cnn", "preact-resnet44"])
def test_second_derivatives_are_right_in_double_precision(name: str) -> None:
    # dropout would draw anew for each evaluation, so eval mode; weights off zero, so that both branches count
    network = build(name, shape=(3, 8, 8), activation="softplus").double().eval()
    generator = torch.Generator().manual_seed(2)
    for parameter in network.parameters():
        parameter.data += 0.02 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    x, y = batch(dtype=torch.float64)
    first = next(network.parameters())
    direction = torch.randn(first.shape, generator=generator, dtype=torch.float64)
    (gradient,) = torch.autograd.grad(penalized_loss(network, x, y), first)
    # so short that no pool changes its mind about the maximum
    start, step = first.data.clone(), 1e-7
    first.data = start + step * direction
    above = penalized_loss(network, x, y).item()
    first.data = start - step * direction
    below = penalized_loss(network, x, y).item()
    assert (gradient * direction).sum().item() == pytest.approx((above - below) / (2 * step), rel=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_a_network_survives_copying_double_precision_and_channels_last(name: str) -> None:
    side = 4 if name == "wide-resnet-28-10" else 8
    network = listed(name, side=side, activation="half-huber").eval()
    x, y = batch(images_for(name, side))
    logits = network(x)
    assert logits.shape == (4, 10)
    torch.testing.assert_close(network(x.contiguous(memory_format=torch.channels_last)), logits)
    twin = copy.deepcopy(network)
    assert torch.equal(twin(x), logits)
    twin.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] (torch's stub lacks it)
    torch.testing.assert_close(twin(x.contiguous(memory_format=torch.channels_last)), logits)
    penalized_loss(twin, x.contiguous(memory_format=torch.channels_last), y).backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in twin.parameters())
    exact = twin.double()(x.double())
    assert exact.dtype == torch.float64
    torch.testing.assert_close(exact.float(), logits, rtol=1e-3, atol=1e-4)
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("name", MODELS)
def test_logits_do_not_depend_on_the_rest_of_the_batch_in_eval_mode(name: str) -> None:
    network = listed(name).eval()
    x, _ = batch(images_for(name))
    torch.testing.assert_close(torch.cat([network(image[None]) for image in x]), network(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_logits_are_not_probabilities(name: str) -> None:
    # a shift of the last bias shifts logits by as much and probabilities not at all
    network = listed(name).eval()
    x, _ = batch(images_for(name))
    before = network(x)
    bias = [parameter for path, parameter in network.named_parameters() if path.endswith("bias")][-1]
    bias.data += 5
    torch.testing.assert_close(network(x), before + 5)


@pytest.mark.parametrize("zero_init", [True, False])
def test_preact_resnet_starts_as_its_shortcuts_where_asked(zero_init: bool) -> None:
    network = build("preact-resnet44", zero_init=zero_init)
    last = [p for name, p in network.named_parameters() if name.endswith("conv2.weight")]
    assert len(last) == 21
    assert all((not parameter.any()) == zero_init for parameter in last)
    features = torch.randn(2, 16, 8, 8, generator=torch.Generator().manual_seed(1))
    assert torch.equal(network.get_submodule("stage1")(features), features) == zero_init


def test_the_shortcut_of_a_preact_block_starts_after_its_activation_where_the_shape_changes() -> None:
    block = PreactBlock(2, 3, 2, nn.Softplus).eval()
    nn.init.zeros_(block.conv2.weight)
    x = torch.randn(2, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    assert block.shortcut is not None
    assert torch.equal(block(x), block.shortcut(block.activation1(block.norm1(x))))


def test_wide_resnet_has_dropout_between_its_convolutions_and_a_slow_last_norm() -> None:
    network = build("wide-resnet-28-10", dropout=0.1)
    assert [m.p for m in network.modules() if isinstance(m, nn.Dropout)] == [0.1] * 12
    norm = network.get_submodule("norm")
    assert isinstance(norm, nn.BatchNorm2d) and norm.momentum == 0.9


def test_simple_cnn_drops_units_in_train_mode_only() -> None:
    network = build("simple-cnn", shape=(1, 8, 8), dropout=0.9)
    x = torch.full((1, 1, 8, 8), 0.5)
    assert not torch.equal(network.train()(x), network(x))
    assert torch.equal(network.eval()(x), network(x))


def test_the_layers_of_an_mlp_are_as_wide_as_asked() -> None:
    network = build("mlp", shape=(1, 8, 8), hidden=(5, 7), classes=3)
    assert [tuple(p.shape) for p in chain(network.parameters())] == [(5, 64), (5,), (7, 5), (7,), (3, 7), (3,)]
    assert [tuple(p.shape) for p in build("mlp", shape=(1, 8, 8), hidden=()).parameters()] == [(10, 64), (10,)]


def test_resnet18_is_as_wide_as_asked() -> None:
    widths = [m.num_features for m in build("resnet18", width=8).modules() if isinstance(m, nn.BatchNorm2d)]
    assert sorted(set(widths)) == [8, 16, 32, 64]


@pytest.mark.parametrize(
    ("name", "options", "count"),
    [
        ("alexnet", {}, 61_100_840),
        ("vgg16", {}, 138_357_544),
        ("resnet18", {"shape": (3, 224, 224), "classes": 1000, "imagenet_stem": True}, 11_689_512),
        ("resnet18", {"shape": (3, 224, 224), "classes": 100, "imagenet_stem": True}, 11_227_812),
    ],
)
def test_networks_for_imagenet_have_the_published_number_of_parameters(
    name: str, options: dict[str, object], count: int
) -> None:
    with torch.device("meta"):  # where they take no memory
        network = MODELS[name](**options)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


ALEXNET = {"features": (0, 3, 6, 8, 10), "classifier": (1, 4, 6)}
VGG16 = {"features": (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28), "classifier": (0, 3, 6)}


@pytest.mark.parametrize(("name", "places"), [("alexnet", ALEXNET), ("vgg16", VGG16)])
def test_weights_have_the_names_that_files_of_others_have(name: str, places: dict[str, tuple[int, ...]]) -> None:
    names = [f"{part}.{number}" for part, numbers in places.items() for number in numbers]
    network, other = listed(name), listed(name, seed=1)
    wanted = [f"{place}.{kind}" for place in names for kind in ("weight", "bias")]
    assert list(network.state_dict()) == wanted
    fit_weights(network, {key: other.state_dict()[key] for key in wanted}, "others.pth")
    x, _ = batch(images_for(name))
    assert torch.equal(network.eval()(x), other.eval()(x))


@pytest.mark.parametrize(("name", "side"), [("alexnet", 90), ("alexnet", 64), ("vgg16", 50), ("vgg16", 33)])
def test_networks_for_imagenet_take_images_of_other_sizes(name: str, side: int) -> None:
    network = build(name, shape=(1, side, side + 1), classes=4, width=2, hidden=8).eval()
    assert network(torch.zeros(2, 1, side, side + 1)).shape == (2, 4)


def test_a_new_vgg_keeps_the_scale_of_what_it_sees() -> None:
    network = build("vgg16", shape=(3, 32, 32), width=8, hidden=64, classes=10)
    x, _ = batch((3, 32, 32))
    assert 0.2 < network.get_submodule("features")(x).square().mean().sqrt() / x.square().mean().sqrt() < 5
    for module in network.modules():  # PyTorch's own rule does not
        if isinstance(module, nn.Conv2d):
            module.reset_parameters()
            nn.init.zeros_(module.bias) if module.bias is not None else None
    assert network.get_submodule("features")(x).square().mean().sqrt() < 0.01


def test_the_stem_for_imagenet_quarters_the_resolution_and_the_other_stays() -> None:
    network = build("resnet18", shape=(3, 64, 64), width=4, imagenet_stem=True)
    names = [name for name, _ in network.named_children()]
    assert names[2:7] == ["stem", "norm", "activation", "stem_pool", "stage1"]
    assert isinstance(network, nn.Sequential)
    assert network[:6](torch.zeros(2, 3, 64, 64)).shape == (2, 4, 16, 16)
    plain, said = build("resnet18", width=4), build("resnet18", width=4, imagenet_stem=False)
    assert "stem_pool" not in dict(plain.named_children())
    assert all(
        torch.equal(a, b) for a, b in zip(plain.state_dict().values(), said.state_dict().values(), strict=True)
    )
    with pytest.raises(ShapeError, match="^images of 3x31x32 are too small; this network needs at least 1x32x32$"):
        build("resnet18", shape=(3, 31, 32), imagenet_stem=True)


def test_the_layers_of_the_lenet_of_local_gradient_alignment() -> None:
    shapes = [tuple(p.shape) for name, p in build("lenet-joo2023").named_parameters() if name.endswith("weight")]
    assert shapes == [(32, 3, 3, 3), (32, 32, 3, 3), (64, 32, 3, 3), (64, 64, 3, 3), (256, 4096), (10, 256)]
