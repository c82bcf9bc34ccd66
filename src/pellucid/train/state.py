"""Everything of a training that changes, and how it is written down and put back."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pellucid.objectives import Objective
from pellucid.train.checkpoints import State
from pellucid.train.epoch import Epoch
from pellucid.train.recipe import Recipe


@dataclass
class Training:
    """A network on its way: weights, optimizer, average, adaptive weights, and the epochs so far."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    objective: Objective
    recipe: Recipe
    history: list[Epoch] = field(default_factory=list[Epoch])
    best: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    average: AveragedModel | None = None

    def __post_init__(self) -> None:
        if self.recipe.average:
            decay = get_ema_multi_avg_fn(self.recipe.average)
            self.average = AveragedModel(self.model, multi_avg_fn=decay, use_buffers=True)

    @property
    def candidate(self) -> nn.Module:
        """The network that is validated and kept: the average where there is one."""
        return self.model if self.average is None else self.average.module

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or patience has run out."""
        if len(self.history) >= self.recipe.epochs:
            return True
        waited = len(self.history) - 1 - best_epoch(self.history)
        return 0 < self.recipe.patience <= waited

    def record(self, epoch: Epoch) -> None:
        """Take an epoch into the history, and its weights if they are the best so far."""
        self.history.append(epoch)
        if self.recipe.keep == "best" and best_epoch(self.history) == len(self.history) - 1:
            self.best = _copy(self.candidate)

    def settle(self) -> None:
        """Leave in the model the weights that the recipe keeps."""
        self.model.load_state_dict(self.best or _copy(self.candidate))

    def snapshot(self) -> State:
        """The whole state of training, as tensors and plain values."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": {} if self.average is None else self.average.state_dict(),
            "adaptive": [weight.integral for weight in self.objective.adaptive],
            "best": self.best,
            "history": [epoch.to_record() for epoch in self.history],
        }

    def restore(self, state: State) -> None:
        """Put back what a snapshot holds."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        for weight, integral in zip(self.objective.adaptive, state["adaptive"], strict=True):
            weight.integral = integral
        self.best = state["best"]
        self.history = [Epoch.from_record(record) for record in state["history"]]


def best_epoch(epochs: Sequence[Epoch]) -> int:
    """The place of the epoch with the highest validation accuracy; the first of equals."""
    scores = [0.0 if epoch.validation is None else epoch.validation.value for epoch in epochs]
    return scores.index(max(scores)) if scores else -1


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
