"""Whether a network is as often right as it is sure."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.metrics.estimates import Estimate


def calibration_error(
    confidence: Float[Tensor, " n"], right: Bool[Tensor, " n"], *, bins: int = 15, seed: int = 0
) -> Estimate:
    """The expected calibration error: how far confidence and accuracy are apart, averaged over bins of equal size.

    Bins hold equally many images, so that none is nearly empty. The value is never below 0: on few images it is
    rather too large than too small.
    """
    if bins < 1:
        raise ConfigError(f"{bins} bins hold no images; take 1 or more")
    both = torch.stack([confidence.double(), right.double()], 1)
    return Estimate.resampled(lambda rows: _error(rows, bins), both, seed=seed)


def reliability(
    confidence: Float[Tensor, " n"], right: Bool[Tensor, " n"], *, bins: int = 15
) -> list[tuple[float, Estimate]]:
    """The mean confidence of each bin and the share of its images that are right, in ascending order."""
    order = confidence.argsort(stable=True)
    parts = [part for part in order.tensor_split(min(bins, len(order))) if len(part)]
    return [
        (float(confidence[part].double().mean()), Estimate.proportion(int(right[part].sum()), len(part)))
        for part in parts
    ]


def _error(rows: Float[Tensor, "*draws n two"], bins: int) -> Float[Tensor, "*draws"]:
    confidence, right = rows.unbind(-1)
    order = confidence.argsort(-1)
    confidence, right = confidence.gather(-1, order), right.gather(-1, order)
    n = confidence.shape[-1]
    parts = zip(confidence.tensor_split(min(bins, n), -1), right.tensor_split(min(bins, n), -1), strict=True)
    return torch.stack([(sure - true).sum(-1).abs() for sure, true in parts]).sum(0) / n
