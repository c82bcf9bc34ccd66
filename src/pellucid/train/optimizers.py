"""Optimizers as settings: what PyTorch's own are built from."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from pellucid.errors import ConfigError


class Optimizer(ABC):
    """How parameters follow their gradients. `lr` is the highest learning rate; the schedule takes shares of it."""

    registry: ClassVar[str] = "pellucid.train:OPTIMIZERS"
    lr: float

    @abstractmethod
    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """PyTorch's optimizer with these settings."""


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum."""

    lr: float = 0.05
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4

    def __post_init__(self) -> None:
        _check("SGD", self.lr, 10, self.weight_decay)
        if not 0 <= self.momentum < 1:
            raise ConfigError(f"SGD has momentum={self.momentum:g}; it is the share of what was before, in [0, 1)")

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The PyTorch optimizer, `torch.optim.SGD`, for these parameters."""
        nesterov = self.nesterov and self.momentum > 0
        return torch.optim.SGD(
            parameters, lr=self.lr, momentum=self.momentum, nesterov=nesterov, weight_decay=self.weight_decay
        )


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam; its weight decay is added to the gradient."""

    lr: float = 1e-3
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        _check("Adam", self.lr, 1, self.weight_decay)

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The PyTorch optimizer, `torch.optim.Adam`, for these parameters."""
        return torch.optim.Adam(parameters, lr=self.lr, weight_decay=self.weight_decay)


@dataclass(frozen=True)
class AdamW(Optimizer):
    """Adam with weight decay apart from the gradient."""

    lr: float = 1e-3
    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        _check("AdamW", self.lr, 1, self.weight_decay)

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The PyTorch optimizer, `torch.optim.AdamW`, for these parameters."""
        return torch.optim.AdamW(parameters, lr=self.lr, weight_decay=self.weight_decay)


def _check(owner: str, lr: float, most: float, weight_decay: float) -> None:
    if not 0 < lr <= most:
        raise ConfigError(f"{owner} has lr={lr:g}; a learning rate lies above 0, and at {most:g} at most")
    if not 0 <= weight_decay <= 1:
        raise ConfigError(f"{owner} has weight_decay={weight_decay:g}; it lies in [0, 1]")
