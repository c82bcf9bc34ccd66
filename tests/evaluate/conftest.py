"""Small networks that read digits: trained as usual, on adversarial examples, and with BatchNorm."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pellucid.attacks import PGD
from pellucid.batch import Batch
from pellucid.data import load, sequential
from pellucid.models import Normalize


@pytest.fixture(scope="session")
def batch() -> Batch:
    test = load("digits").test.take(64)
    (batch,) = test.batches(sequential(test, 64))
    return batch


@pytest.fixture(scope="session")
def healthy() -> nn.Sequential:
    return trained()


@pytest.fixture(scope="session")
def robust() -> nn.Module:
    return trained(eps=0.1)


@pytest.fixture(scope="session")
def normalizing() -> nn.Sequential:
    return trained(batch_norm=True)


def trained(*, eps: float = 0.0, batch_norm: bool = False) -> nn.Sequential:
    """A small network that reads digits, normalized inside."""
    split = load("digits").train
    (batch,) = split.batches(sequential(split, len(split)))
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = nn.Sequential(
            Normalize((0.3,), (0.38,)),
            nn.Conv2d(1, 16, 3, padding=1),
            nn.BatchNorm2d(16) if batch_norm else nn.Identity(),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(0),
            nn.Linear(512, 10),
        )
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        generator = torch.Generator().manual_seed(0)
        for epoch in range(8):
            for rows in torch.randperm(len(batch), generator=generator).split(128):
                x, y = batch.x[rows], batch.y[rows]
                if eps:
                    x = PGD(eps=eps, steps=3)(model, x, y, seed=epoch).x
                optimizer.zero_grad()
                F.cross_entropy(model(x), y).backward()
                optimizer.step()
    return model.eval()
