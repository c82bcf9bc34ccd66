"""LRP as zennit computes it, on networks like VGG and torchvision's ResNet, BatchNorm merged, in float64."""

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from networks import images
from pellucid.explainers import LRP
from pellucid.models import Normalize

composites: Any = pytest.importorskip(
    "zennit.composites", reason="no zennit to compare with; pip install pellucid[oracles]"
)
attribution: Any = pytest.importorskip("zennit.attribution")
canonizers: Any = pytest.importorskip("zennit.canonizers")
rules: Any = pytest.importorskip("zennit.rules")
types: Any = pytest.importorskip("zennit.types")
torchvision: Any = pytest.importorskip("torchvision.models", reason="no torchvision to build networks with")
of_torchvision: Any = pytest.importorskip("zennit.torchvision")

TINY = 1e-12
X, OF = images(2, 3, 32, 32), torch.tensor([0, 3])
MEAN, STD = (0.5, 0.4, 0.3), (0.3, 0.2, 0.25)
# black and white where pixels are normalized
LOW, HIGH = ((end - torch.tensor(MEAN).double()) / torch.tensor(STD).double() for end in (0, 1))
BOUNDS = {"low": LOW[None, :, None, None], "high": HIGH[None, :, None, None]}


def vgg(*, bias: bool) -> nn.Sequential:
    """Convolutions, each with BatchNorm but the last, and dense layers."""
    layers = list[nn.Module]()
    for inputs, outputs in ((3, 8), (8, 12), (12, 12)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias), nn.BatchNorm2d(outputs), nn.ReLU()]
        layers += [nn.MaxPool2d(2) if inputs < 12 else nn.AvgPool2d(2)]
    layers += [nn.Conv2d(12, 16, 3, bias=bias), nn.ReLU(), nn.Flatten()]
    layers += [nn.Linear(64, 24, bias=bias), nn.ReLU(), nn.Dropout(), nn.Linear(24, 4, bias=bias)]
    return nn.Sequential(*layers)


def resnet(*, bias: bool) -> nn.Module:
    """torchvision's, with a block in each stage; it has a max pooling, an average pooling and shortcuts."""
    model = torchvision.ResNet(torchvision.resnet.BasicBlock, [1, 1, 1, 1], num_classes=4)
    if not bias:
        model.fc.bias = None
    return model


def bottlenecks(*, bias: bool) -> nn.Module:
    """The same of bottlenecks."""
    model = torchvision.ResNet(torchvision.resnet.Bottleneck, [1, 1, 1, 1], num_classes=4)
    if not bias:
        model.fc.bias = None
    return model


NETWORKS = {"vgg": vgg, "resnet": resnet, "bottlenecks": bottlenecks}


def made(name: str, *, bias: bool, eps: float = TINY) -> nn.Module:
    """A network whose BatchNorm has statistics, with shifts or without."""
    with torch.random.fork_rng([]):
        torch.manual_seed(7)
        model = NETWORKS[name](bias=bias)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_var is not None and module.running_mean is not None
                module.eps = eps  # what zennit has merged divides by sqrt(1 + eps) a second time
                nn.init.uniform_(module.weight, 0.5, 1.5)
                module.running_var.uniform_(0.2, 1)
                if bias:
                    nn.init.normal_(module.bias, std=0.3)
                    module.running_mean.normal_(std=0.3)
    return model.double().eval()


def shared_out(model: nn.Module, x: Tensor, composite: Any) -> Tensor:
    """What zennit makes of the logits of the classes."""

    def of_the_classes(logits: Tensor) -> Tensor:
        return logits * nn.functional.one_hot(OF, 4)

    with attribution.Gradient(model=model, composite=composite) as attributor:
        _, found = attributor(x, of_the_classes)
    return found.detach()


def epsilon(**given: Any) -> Any:
    """Every layer by the epsilon rule, for which zennit has no composite."""
    kinds = [*composites.layer_map_base(TINY), (types.Convolution, rules.Epsilon(TINY))]
    return composites.LayerMapComposite([*kinds, (torch.nn.Linear, rules.Epsilon(TINY))], **given)


def epsilon_gamma(**given: Any) -> Any:
    """That of zennit without the box."""
    kinds = [*composites.layer_map_base(TINY), (types.Convolution, rules.Gamma(0.25, TINY))]
    return composites.LayerMapComposite([*kinds, (torch.nn.Linear, rules.Epsilon(TINY))], **given)


def with_tiny(composite: str, **more: Any) -> Callable[..., Any]:
    """A composite of zennit whose denominators are moved as little as ours."""
    return partial(composites.COMPOSITES[composite], epsilon=TINY, stabilizer=TINY, **more)


THEIRS: dict[str, Callable[..., Any]] = {
    "epsilon": epsilon,
    "epsilon-plus": with_tiny("epsilon_plus"),
    "epsilon-alpha2-beta1": with_tiny("epsilon_alpha2_beta1"),
    "epsilon-plus-flat": with_tiny("epsilon_plus_flat"),
    "epsilon-alpha2-beta1-flat": with_tiny("epsilon_alpha2_beta1_flat"),
    "epsilon-gamma": epsilon_gamma,
    "epsilon-gamma-box": with_tiny("epsilon_gamma_box", gamma=0.25, **BOUNDS),
}


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("network", "composite"), [*itertools.product(("vgg", "resnet"), THEIRS), ("bottlenecks", "epsilon-plus")]
)
def test_maps_agree(network: str, composite: str, bias: bool) -> None:
    """With pixels normalized in front of the network, which passes relevance as it is."""
    canonizer = canonizers.SequentialMergeBatchNorm() if network == "vgg" else of_torchvision.ResNetCanonizer()
    front = Normalize(MEAN, STD).double()
    theirs = THEIRS[composite](canonizers=[canonizer])
    expected = shared_out(made(network, bias=bias), front(X), theirs)
    model = nn.Sequential(front, made(network, bias=bias)).eval()
    found = LRP(composite, TINY)(model, X, OF).map
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9 * float(expected.abs().max()))
    if not bias and "beta1" not in composite:  # nothing keeps a share
        logits = model(X).gather(1, OF[:, None])[:, 0].detach()
        for maps in (found, expected):
            torch.testing.assert_close(maps.flatten(1).sum(1), logits, rtol=1e-6, atol=0)


def test_merged_batch_norm_keeps_its_epsilon_in_zennit() -> None:
    """Three layers of BatchNorm, divided by the root of 1 + eps once more, in a network without biases."""
    eps = 1e-3
    model = made("vgg", bias=False, eps=eps)
    merged = shared_out(model, X, epsilon(canonizers=[canonizers.SequentialMergeBatchNorm()]))
    found = LRP("epsilon", TINY)(made("vgg", bias=False, eps=eps), X, OF).map
    torch.testing.assert_close(merged * (1 + eps) ** 1.5, found, rtol=1e-6, atol=1e-9 * float(found.abs().max()))
