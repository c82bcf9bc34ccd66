"""Two small networks that read digits: one trained as usual, one on adversarial examples."""

from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pellucid.attacks import PGD
from pellucid.batch import Batch
from pellucid.data import load
from pellucid.data.split import Split, sequential


@pytest.fixture(scope="session")
def digits() -> Batch:
    """200 test images."""
    return _whole(load("digits").test.take(200))


@pytest.fixture
def model(network: str, request: pytest.FixtureRequest) -> nn.Module:
    """The network that a test is parametrized with, by the name of its fixture."""
    return request.getfixturevalue(network)


@pytest.fixture(scope="session")
def digits_network() -> nn.Module:
    return _trained(eps=0)


@pytest.fixture(scope="session")
def robust_digits_network() -> nn.Module:
    return _trained(eps=0.15)


@pytest.fixture(scope="session")
def exact_network(digits_network: nn.Module) -> nn.Module:
    """The first in float64: in float32 a unit that switches may be on either side by rounding alone."""
    return deepcopy(digits_network).double()


@pytest.fixture(scope="session")
def exact_digits(digits: Batch) -> Batch:
    return Batch(digits.x.double(), digits.y)


def _trained(eps: float) -> nn.Module:
    batch = _whole(load("digits").train)
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10),
        )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    generator = torch.Generator().manual_seed(0)
    for epoch in range(20):
        for rows in torch.randperm(len(batch.y), generator=generator).split(128):
            x, y = batch.x[rows], batch.y[rows]
            if eps:
                x = PGD(eps=eps, steps=3)(model, x, y, seed=epoch).x
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
    return model.eval().requires_grad_(False)


def _whole(split: Split) -> Batch:
    (batch,) = split.batches(sequential(split, len(split)))
    return batch
