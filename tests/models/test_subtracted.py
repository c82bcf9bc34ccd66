"""What a network's normalization makes a zero, whoever wrote it."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from networks import images, linear, smooth
from pellucid.models import Normalize, build, subtracted

MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2, 0.25, 0.3)


class Foreign(nn.Module):
    """Another library's normalization."""

    center: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("center", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("scale", torch.tensor(DEVIATION)[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.center) / self.scale


class Functional(nn.Module):
    """A transformer's beginning that normalizes in its own code, with a factor before that."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.mix = nn.Conv2d(3, 8, 4, 4), nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.head = nn.Linear(8, 1000)

    def forward(self, x: Tensor) -> Tensor:
        mean, deviation = (torch.tensor(values, device=x.device).to(x)[:, None, None] for values in (MEAN, DEVIATION))
        x = self.patches((255 * x - 255 * mean) / (255 * deviation))
        return self.head(self.mix(x.flatten(2).mT).mean(1))


class Bare(nn.Module):
    """No layer at all: nothing shows what it does first."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4, 3, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x - 0.5, self.weight).mean((2, 3))


def after(first: nn.Module) -> nn.Module:
    return nn.Sequential(first, nn.Conv2d(3, 3, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))


@pytest.mark.parametrize(
    "network",
    [
        after(Normalize(MEAN, DEVIATION)),
        after(Foreign()),
        nn.Sequential(nn.Upsample(16), after(Foreign())),
        after(nn.Sequential(nn.Identity(), Foreign(), nn.Dropout())),
        Functional(),
    ],
    ids=["ours", "foreign", "after resizing", "among others", "functional"],
)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_it_is_found_wherever_it_stands(network: nn.Module, dtype: torch.dtype) -> None:
    network = copy.deepcopy(network).eval().to(dtype)
    found = subtracted(network, torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)).to(dtype))
    assert found is not None and found.dtype == dtype
    within = 1e-6 if dtype != torch.bfloat16 else 0.01
    assert found.double().tolist() == pytest.approx(MEAN, abs=within)


def test_that_of_our_own_layer_is_found_to_the_bit() -> None:
    network = build("lenet", shape=(1, 28, 28), mean=[0.1307], std=[0.3081])
    found = subtracted(network, torch.zeros(1, 1, 28, 28))
    assert found is not None and torch.equal(found, torch.tensor([0.1307]))


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (smooth(), (1, 6, 6)),
        (linear(), (1, 3, 3)),
        (linear(), (9,)),
        (build("lenet", shape=(3, 32, 32)).double(), (3, 32, 32)),
        (after(nn.Identity()).double(), (3, 8, 8)),
        (Bare().double(), (3, 8, 8)),
    ],
    ids=["a convolution first", "flattened", "vectors", "a network of ours", "channels that are mixed", "bare"],
)
def test_there_is_none_where_images_are_taken_as_they_are(network: nn.Module, shape: tuple[int, ...]) -> None:
    assert subtracted(network.eval(), images(2, *shape)) is None


def test_the_network_is_left_as_it_was() -> None:
    network = after(Foreign()).eval()
    calls: list[int] = []

    def ran(module: nn.Module, given: object, answer: object) -> None:
        calls.append(1)

    network.register_forward_hook(ran)
    subtracted(network, torch.zeros(1, 3, 8, 8))
    assert not calls, "no layer runs that need not"
    assert all(not module._forward_pre_hooks for module in network.modules())  # pyright: ignore[reportPrivateUsage]
