"""Clean accuracy on a split, with its interval."""

import torch
from torch import nn

from pellucid.autograd import processes
from pellucid.data import Split, sequential
from pellucid.looking import look
from pellucid.metrics import Estimate
from pellucid.probe import frozen


@torch.no_grad()
def accuracy(model: nn.Module, split: Split, *, batch: int = 512, rank: int = 0, ranks: int = 1) -> Estimate:
    """The share of images whose largest logit is their label's; several processes share the work."""
    correct = torch.zeros(1)
    with frozen(model):
        for images in split.batches(sequential(split, batch)[rank::ranks]):
            right = (look(model, images.x).argmax(1) == images.y).sum()
            correct = correct.to(right.device) + right
    return Estimate.proportion(round(float(processes.total(correct))), len(split))
