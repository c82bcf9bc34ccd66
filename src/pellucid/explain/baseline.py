"""The image that says nothing: what a map that compares starts from."""

from typing import Literal

import torch
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.explain.explainer import Images

Baseline = float | Literal["mean", "blur"]
"""A value of all pixels, each channel's mean over its own image, or the image blurred."""

_BLUR = 1 / 8  # the deviation of the window, as a part of the side


def baseline_of(x: Images, baseline: Baseline) -> Images:
    """The baseline of each image; the blur's window is normal, with a deviation of an eighth of each side."""
    if baseline == "blur":
        return _blurred(x)
    if baseline == "mean":
        return x.mean(tuple(range(2, x.dim())), keepdim=True).expand_as(x)
    return torch.full_like(x, baseline)


def check_baseline(owner: str, baseline: Baseline) -> None:
    """Refuse a value that no pixel has."""
    if not isinstance(baseline, str) and not 0 <= baseline <= 1:
        raise ConfigError(f"{owner} has baseline={baseline:g}; give a number in [0, 1], 'mean' or 'blur'")


def _blurred(x: Tensor) -> Tensor:
    for axis in range(2, x.dim()):
        side = torch.arange(x.shape[axis], dtype=x.dtype, device=x.device)
        distance = (side[:, None] - side) / max(1.0, _BLUR * len(side))
        # at the edge the window keeps its weight, on the pixels that are there
        window = torch.softmax(-distance.square() / 2, 1)
        x = (x.movedim(axis, -1) @ window.T).movedim(-1, axis)
    return x
