"""The mean and spread of each channel, for a normalization layer."""

import torch

from pellucid.data.split import Split
from pellucid.errors import DataError

_ENOUGH = 10_000
_CHUNK = 250


def statistics(split: Split) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The mean and standard deviation of each channel, over 10,000 evenly spaced images where there are more."""
    if not len(split):
        raise DataError("a split without images has no mean; load one with images")
    count = min(len(split), _ENOUGH)
    plan = (torch.arange(count) * len(split) // count).split(_CHUNK)
    channels, height, width = split.shape
    total = torch.zeros(2, channels, dtype=torch.float64)
    for batch in split.batches(plan):
        x = batch.x.double()
        total += torch.stack([x.sum((0, 2, 3)), x.square().sum((0, 2, 3))]).cpu()
    mean, square = total / (count * height * width)
    spread = (square - mean.square()).clamp(min=0).sqrt()
    return tuple(mean.tolist()), tuple(spread.tolist())
