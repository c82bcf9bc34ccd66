"""How many passes a question takes, found out on a network of a few weights."""

from collections.abc import Callable

import torch
from torch import nn

from pellucid.data import Split
from pellucid.evaluate.explanations import Passes, counted
from pellucid.randomness import seeded
from pellucid.subjects import Subject


def passes_of(subject: Subject, images: int, ask: Callable[[nn.Module, Split], object]) -> Passes:
    """The passes that many images take, told by asking about one; none where the small network cannot be asked.

    How many passes an explainer or a metric makes hangs on its settings, and hardly on the network.
    """
    split = subject.split.take(1)
    model = _small(split).to(next(iter(split.batches([torch.arange(1)]))).x.device)
    try:
        with counted(model) as passes:
            ask(model, split)
    except Exception:
        return Passes()
    return Passes(passes.forwards * images, passes.backwards * images, passes.differentiated * images)


def _small(split: Split) -> nn.Module:
    channels, height, width = split.shape
    stride = max(1, min(height, width) // 8)
    with seeded(0):
        return nn.Sequential(
            nn.Conv2d(channels, 4, 3, stride=stride, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(16, max(2, len(split.classes))),
        ).eval()
