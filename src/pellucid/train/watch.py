"""Robust accuracy on a few images after each epoch, so that its collapse does not pass unnoticed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import nn

from pellucid.attacks import PGD, Attack
from pellucid.autograd import processes
from pellucid.data import Split, sequential
from pellucid.errors import ConfigError
from pellucid.metrics import Estimate
from pellucid.randomness import derive
from pellucid.train.epoch import Epoch


@dataclass(frozen=True)
class Watch:
    """An attack on the same `images` after each epoch; 0 turns it off, and nothing else of training depends on it.

    Training against one step can overfit catastrophically: within an epoch the network learns to deceive that step,
    and any stronger attack finds it defenseless. An epoch counts as overfitted when the interval of its robust
    accuracy lies below `collapse` times the best so far. Give `attack` the budget that is trained for.
    """

    images: int = 0
    attack: Attack = field(default_factory=lambda: PGD(steps=10))
    collapse: float = 0.5

    def __post_init__(self) -> None:
        if self.images < 0:
            raise ConfigError(f"images is {self.images}; watch 1 or more, or none at 0")
        if not 0 < self.collapse < 1:
            raise ConfigError(f"collapse is {self.collapse}; it is a part of the best robust accuracy, in (0, 1)")

    def chosen(self, split: Split, seed: int) -> Split:
        """The images to watch: the same in every epoch of a run."""
        order = torch.randperm(len(split), generator=torch.Generator().manual_seed(derive(seed, "watch")))
        return split.take(order[: self.images])

    def robust(self, model: nn.Module, split: Split, *, seed: int, rank: int = 0, ranks: int = 1) -> Estimate:
        """The share of images that are right after the attack; several processes share the work."""
        share = max(1, min(128, -(-len(split) // ranks)))
        correct = torch.zeros(1, device=next(model.parameters()).device)
        for images in split.batches(sequential(split, share)[rank::ranks]):
            after = self.attack.on(model, images, seed=derive(seed, "watch")).after
            correct += (after.argmax(1) == images.y).sum()
        return Estimate.proportion(round(float(processes.total(correct))), len(split))

    def overfitted(self, robust: Estimate, history: Sequence[Epoch]) -> bool:
        """Whether robust accuracy has collapsed against the best of the epochs before."""
        best = max((epoch.robust.value for epoch in history if epoch.robust is not None), default=0.0)
        return robust.high < self.collapse * best
