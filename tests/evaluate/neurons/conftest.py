"""Small networks that read digits: plainly trained, and with features held under attack."""

from collections.abc import Callable
from functools import cache

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pellucid import data, models
from pellucid.data import Split, TensorSplit

EPS = 0.2


@pytest.fixture(scope="session")
def trained() -> Callable[[int], tuple[nn.Module, nn.Module, Split]]:
    """The two networks of a seed, trained at the first use, and images that neither has seen."""
    return cache(_pair)


def _pair(seed: int) -> tuple[nn.Module, nn.Module, Split]:
    source = data.load("digits")
    assert isinstance(source.train, TensorSplit) and isinstance(source.test, TensorSplit)
    pixels, labels = (
        torch.cat([getattr(part, name) for part in (source.train, source.test)]) for name in ("pixels", "labels")
    )
    digits = TensorSplit(pixels, labels, source.test.classes)
    order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(seed))
    seen, unseen = order[: len(digits) * 6 // 10], order[len(digits) * 6 // 10 :]
    (batch,) = digits.take(seen).batches([torch.arange(len(seen))])
    networks = [_trained(batch.x, batch.y, seed, consistent=consistent) for consistent in (False, True)]
    return networks[0], networks[1], digits.take(unseen)


def _trained(x: Tensor, y: Tensor, seed: int, *, consistent: bool) -> nn.Module:
    """30 epochs of Adam; where consistent, half of the loss is under one step towards the least likely class."""
    model = models.build("mlp", seed=seed, shape=(1, 8, 8), classes=10, hidden=(128, 64))
    assert isinstance(model, nn.Sequential)
    body, head = model[:-1], model[-1]
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, foreach=True)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(30):
        for rows in torch.randperm(len(x), generator=generator).split(64):
            images, labels = x[rows], y[rows]
            features = body(images)
            logits = head(features)
            loss = F.cross_entropy(logits, labels)
            if consistent:
                moved = images.clone().requires_grad_()
                likely = model(moved)
                (slope,) = torch.autograd.grad(F.cross_entropy(likely, likely.argmin(1)), moved)
                eps = EPS * float(torch.rand(1, generator=generator))
                attacked = body((images - eps * slope.sign()).clamp(0, 1))
                match = (features - attacked).square().sum(1).mean()
                loss = (loss + F.cross_entropy(head(attacked), labels)) / 2 + 0.01 * match
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval()
