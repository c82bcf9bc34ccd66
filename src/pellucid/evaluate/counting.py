"""How many passes a question takes, found out on a network of a few weights."""

from collections.abc import Callable

import torch
from torch import nn

from pellucid.data import Split, TensorSplit
from pellucid.evaluate.explanations import Passes, counted
from pellucid.randomness import Noise, derive, seeded

_SIDE = 64  # pixels; larger images would take as many passes, and longer to count them


def passes_of(split: Split, images: int, ask: Callable[[nn.Module, Split], object]) -> Passes:
    """The passes that so many images take, told by asking about one; none where that cannot be asked.

    How many passes an explainer or a metric makes hangs on its settings, hardly on the network, and little on how
    large images are.
    """
    passes = None if min(split.shape[1:]) <= _SIDE else _counted(_smaller(split), ask)
    passes = passes or _counted(split.take(1), ask) or Passes()
    return Passes(passes.forwards * images, passes.backwards * images, passes.differentiated * images)


def _counted(one: Split, ask: Callable[[nn.Module, Split], object]) -> Passes | None:
    model = _small(one).to(next(iter(one.batches([torch.arange(1)]))).x.device)
    try:
        with counted(model) as passes:
            ask(model, one)
    except Exception:
        return None
    return passes


def _smaller(split: Split) -> Split:
    """One image of noise, of the same form and smaller."""
    channels, *sides = split.shape
    high, wide = (side * _SIDE // min(sides) for side in sides)
    noise = Noise(derive(0, "counting"), torch.zeros(1, dtype=torch.int64)).uniform(channels, high, wide)
    return TensorSplit((255 * noise).byte(), torch.zeros(1, dtype=torch.int64), split.classes)


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
