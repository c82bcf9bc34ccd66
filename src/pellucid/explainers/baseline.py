"""The image that says nothing: what a map that compares starts from."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from pellucid.errors import ConfigError
from pellucid.explainers.explainer import Images
from pellucid.models import subtracted

Baseline = float | Literal["mean", "blur", "network-mean"]
"""A value of all pixels, each channel's mean over its own image, the image blurred, or the mean that the network
subtracts."""

_BLUR = 1 / 8  # the deviation of the window, as a part of the side
_SAME = 1e-5  # of a pixel: less than a step of images of 16 bits


def baseline_of(x: Images, baseline: Baseline, network: nn.Module) -> Images:
    """The baseline of each image; the blur's window is normal, with a deviation of an eighth of each side."""
    if baseline == "blur":
        return _blurred(x)
    if baseline == "mean":
        return x.mean(tuple(range(2, x.dim())), keepdim=True).expand_as(x)
    if baseline == "network-mean":
        mean = subtracted(network, x)
        if mean is None:
            raise ConfigError(
                "the baseline is 'network-mean', and this network subtracts no mean from images; "
                "give a number in [0, 1], 'mean' or 'blur'"
            )
        return mean.view(-1, *[1] * (x.dim() - 2)).expand_as(x)
    return torch.full_like(x, baseline)


def changed(x: Images, hidden: Images) -> Bool[Tensor, "b *places"]:
    """The places that look otherwise when they are hidden, in any channel; to hide the others does nothing."""
    differs = (x - hidden).detach().abs() > max(_SAME, torch.finfo(x.dtype).eps)
    return differs.any(1) if x.dim() > 2 else differs


def idle_share(x: Images, baseline: Baseline, network: nn.Module) -> Float[Tensor, " b"]:
    """The share of each image that is as its baseline already."""
    return 1 - changed(x, baseline_of(x, baseline, network)).flatten(1).double().mean(1)


def check_baseline(owner: str, baseline: Baseline) -> None:
    """Refuse a value that no pixel has."""
    if not isinstance(baseline, str) and not 0 <= baseline <= 1:
        names = "'mean', 'blur' or 'network-mean'"
        raise ConfigError(f"{owner} has baseline={baseline:g}; give a number in [0, 1], {names}")


def _blurred(x: Tensor) -> Tensor:
    for axis in range(2, x.dim()):
        side = torch.arange(x.shape[axis], dtype=x.dtype, device=x.device)
        distance = (side[:, None] - side) / max(1.0, _BLUR * len(side))
        # at the edge the window keeps its weight, on the pixels that are there
        window = torch.softmax(-distance.square() / 2, 1)
        x = (x.movedim(axis, -1) @ window.T).movedim(-1, axis)
    return x
