"""Small smooth networks whose derivatives tests can trust."""

import torch
from torch import Tensor, nn


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
