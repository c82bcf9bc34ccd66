"""Maps of a teacher: ours in batches, against one image at a time with its 51 noisy rows, as published code has it.

Passes are the same in number, so that what differs is how well the machine is filled, and what is done besides.
"""

import torch
from torch import Tensor, nn

from benchmarks.timing import alternate, ratio, record
from pellucid import models
from pellucid.batch import Batch
from pellucid.explainers import SmoothGrad

TARGET = 10.0


def run(rounds: int) -> None:
    """Maps per second of both, and their ratio."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    images = 512 if device.type == "cuda" else 32
    model = models.build("simple-cnn", seed=0, shape=(1, 28, 28)).to(device).eval()
    x = torch.rand(images, 1, 28, 28, generator=torch.Generator().manual_seed(0)).to(device)
    y = (torch.arange(images) % 10).to(device)
    batch, explainer = Batch(x, y), SmoothGrad()
    seconds = alternate(
        {
            "in batches": lambda: _waited(explainer.on(model, batch).map),
            "one at a time": lambda: _waited(one_at_a_time(model, x, y)),
        },
        rounds,
    )
    figure = ratio(seconds["one at a time"], seconds["in batches"])
    rates = {name: images / sorted(times)[len(times) // 2] for name, times in seconds.items()}
    for name, rate in rates.items():
        print(f"smoothgrad 50 + 1, simple-cnn, 28x28, {device.type}: {name:14} {rate:8.1f} maps/s", flush=True)
    print(f"one at a time takes {figure} as long (target {TARGET:.0f}x)", flush=True)
    record("references", {"device": device.type, "images": images, "maps_per_second": rates, "ratio": vars(figure)})


def one_at_a_time(model: nn.Module, x: Tensor, y: Tensor, *, samples: int = 50, sigma: float = 0.15) -> Tensor:
    """Each image's copies as one batch, and the next image's after them."""
    maps: list[Tensor] = []
    for image, label in zip(x, y.tolist(), strict=True):
        noise = sigma * torch.randn(samples, *image.shape, device=x.device)
        rows = torch.cat([(image + noise).clamp(0, 1), image[None]]).requires_grad_()
        (gradient,) = torch.autograd.grad(model(rows)[:, label].sum(), rows)
        maps.append(gradient.mean(0))
    return torch.stack(maps)


def _waited(maps: Tensor) -> float:
    """The sum, which is not known before the work is done."""
    return float(maps.sum())
