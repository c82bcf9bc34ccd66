"""What conformance suites try things on: a small network and images for it."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from pellucid.explainers import Explainer, Gradient
from pellucid.probe import Probe


@dataclass(frozen=True)
class Multiplied(Explainer):
    """Another explainer's maps, times a number."""

    factor: float
    explainer: Explainer = field(default_factory=Gradient)

    def maps(self, probe: Probe, of: Tensor, rows: int) -> Tensor:
        """The maps of the other explainer, multiplied."""
        return self.factor * self.explainer.maps(probe, of, rows)


def network(
    *, classes: int = 4, channels: int = 1, size: int = 6, dtype: torch.dtype = torch.float64
) -> nn.Sequential:
    """A small smooth network with BatchNorm, the same at every call."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(channels, 5, 3, padding=1),
            nn.BatchNorm2d(5),
            nn.Softplus(),
            nn.Flatten(),
            nn.Linear(5 * size * size, classes),
        )
    return model.to(dtype).eval()


class Scaled(nn.Module):
    """Logits so many times as large."""

    def __init__(self, times: float) -> None:
        super().__init__()
        self.times = times

    def forward(self, logits: Tensor) -> Tensor:
        """The logits times the factor."""
        return self.times * logits


class Zoomed(nn.Module):
    """A network whose boundaries lie so many times nearer to the images that it is made for.

    An image is taken for the one of them that is nearest.
    """

    def __init__(self, network: nn.Module, x: Tensor, times: float) -> None:
        super().__init__()
        self.network, self.x, self.times = network, x, times

    def forward(self, x: Tensor) -> Tensor:
        """The logits of the images zoomed away from those that it is made for."""
        with torch.no_grad():
            near = torch.cdist(x.flatten(1), self.x.flatten(1)).argmin(1)
        origin = self.x[near]
        return self.network(origin + self.times * (x - origin))


def images(
    *,
    classes: int = 4,
    channels: int = 1,
    size: int = 6,
    count: int = 6,
    dtype: torch.dtype = torch.float64,
    model: nn.Module | None = None,
) -> tuple[Tensor, Tensor]:
    """Images whose labels are what a network says, but for the last, which is wrong from the start."""
    if model is None:
        model = network(classes=classes, channels=channels, size=size, dtype=dtype)
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(count, channels, size, size, generator=generator, dtype=dtype)
    with torch.no_grad():
        y = model(x).argmax(1)
    y[-1] = (y[-1] + 1) % classes
    return x, y


def left_as_it_was(
    use: Callable[[nn.Module], object], *, of: Callable[[], nn.Module] = network, averages: bool = False
) -> None:
    """Check that using a network changes no mode, parameter, gradient, nor what requires one.

    Nor a buffer, unless `averages` may move, as BatchNorm's do in training.
    """
    model = of().train()
    for module in [*model.modules()][2:3]:  # in the suites' own network BatchNorm
        module.eval()
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    next(model.parameters()).requires_grad_(False)
    before = copy.deepcopy(model)
    use(model)
    for module, earlier in zip(model.modules(), before.modules(), strict=True):
        assert module.training == earlier.training
    for parameter, earlier in zip(model.parameters(), before.parameters(), strict=True):
        assert torch.equal(parameter, earlier)
        assert parameter.requires_grad == earlier.requires_grad
        assert parameter.grad is not None
        assert bool((parameter.grad == 1).all())
    for buffer, earlier in zip(model.buffers(), before.buffers(), strict=True):
        assert averages or torch.equal(buffer, earlier)
