"""Small smooth networks whose derivatives tests can trust, and listed networks in small."""

from typing import Any

import torch
from torch import Tensor, nn

from pellucid.models import build

LARGE = {"alexnet": 63, "vgg16": 32}
"""Listed networks that are large, and the side of the smallest images that they take."""


def listed(name: str, *, channels: int = 3, side: int = 8, **options: Any) -> nn.Module:
    """A listed network for square images of `side_of(name, side)`, narrow where it is large."""
    narrow: dict[str, Any] = {"classes": 10, "width": 2, "hidden": 8} if name in LARGE else {}
    side = side_of(name, side)
    settings: dict[str, Any] = narrow | {"shape": (channels, side, side)} | options
    return build(name, **settings)


def side_of(name: str, side: int = 8) -> int:
    """The side of the images that `listed` makes a network for."""
    return max(side, LARGE.get(name, 0))


class Counting(nn.Module):
    """A network that counts its forward passes."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.forwards = 0

    def forward(self, x: Tensor) -> Tensor:
        self.forwards += 1
        return self.network(x)


def smooth(*, classes: int = 4, channels: int = 1, size: int = 6, seed: int = 0) -> nn.Module:
    """Two layers with a smooth activation in between, in float64."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(channels, 3, 3, padding=1), nn.Softplus(), nn.Flatten(), nn.Linear(3 * size * size, classes)
        ).double()


def linear(*, classes: int = 4, pixels: int = 9, seed: int = 0) -> nn.Sequential:
    """Logits that are a linear function of the pixels, in float64."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Flatten(), nn.Linear(pixels, classes)).double()


def images(count: int, *shape: int, seed: int = 0) -> Tensor:
    """Random images in float64."""
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Anywhere(nn.Module):
    """Seven logits of images of any shape."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 7, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.softplus(self.convolution(x.mean(1, keepdim=True))).square().mean((2, 3))


def anywhere() -> nn.Module:
    """The same at every call."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return Anywhere()
