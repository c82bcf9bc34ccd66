"""How far an attack moves what a layer says of an image, towards the class that it is after."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.errors import MeasurementError
from pellucid.metrics.estimates import Estimate

_ROWS = 512  # whose distances are taken at a time


@dataclass(frozen=True, eq=False)
class DistanceRatios:
    """A row for each attacked image: above 1 where it lies nearer to its target than to where it belongs.

    `means` has the distance to the mean of its true class over that to the mean of its target; `instances` the
    distance to the image that it was, over that to the nearest image of its target. Where there is no image of the
    class, or the second distance is zero, there is no ratio, and the entry is NaN. `origin` is the row of the image
    that it was.
    """

    means: Float[Tensor, " m"]
    instances: Float[Tensor, " m"]
    origin: Int[Tensor, " m"]

    @property
    def mean(self) -> Estimate:
        """The mean of `means` over the images that were attacked."""
        return self._over_images(self.means)

    @property
    def instance(self) -> Estimate:
        """The mean over images of the ratios in `instances`."""
        return self._over_images(self.instances)

    @property
    def undefined(self) -> int:
        """How many attacked images lack either ratio."""
        return int((self.means.isnan() | self.instances.isnan()).sum())

    def _over_images(self, values: Tensor) -> Estimate:
        """The interval is over images: what an image became under several targets is no independent evidence."""
        known = ~values.isnan()
        if not known.any():
            raise MeasurementError("no attacked image has this ratio")
        images, row = self.origin[known].unique(return_inverse=True)
        sums = torch.zeros(2, len(images), dtype=torch.float64)
        sums[0].index_add_(0, row, values[known])
        sums[1].index_add_(0, row, torch.ones_like(values[known]))
        return Estimate.mean(sums[0] / sums[1])


def distance_ratios(
    real: Float[Tensor, "images neurons"],
    labels: Int[Tensor, " images"],
    attacked: Float[Tensor, "attacked neurons"],
    origin: Int[Tensor, " attacked"],
    targets: Int[Tensor, " attacked"],
) -> DistanceRatios:
    """The ratios at one layer. `origin` says which row of `real` each attacked image was."""
    real, attacked = real.detach().cpu().double(), attacked.detach().cpu().double()
    labels, origin, targets = labels.cpu(), origin.cpu(), targets.cpu()
    classes = int(torch.cat([labels, targets]).max()) + 1 if len(labels) + len(targets) else 0
    counts = torch.bincount(labels.long(), minlength=classes)
    sums = torch.zeros(classes, real.shape[1], dtype=torch.float64).index_add_(0, labels.long(), real)
    centers = sums / counts[:, None]  # NaN for a class without images, which has no center
    own, other = ((attacked - centers[which]).norm(dim=1) for which in (labels[origin], targets))
    moved = (attacked - real[origin]).norm(dim=1)
    nearest = torch.full_like(moved, math.nan)
    for target in targets.unique().tolist():
        rows, there = (targets == target).nonzero().squeeze(1), real[labels == target]
        for some in rows.split(_ROWS) if len(there) else ():
            # products find the nearest quickly; its distance is then taken exactly
            closest = torch.cdist(attacked[some], there).argmin(1)
            nearest[some] = (attacked[some] - there[closest]).norm(dim=1)
    return DistanceRatios(_ratio(own, other), _ratio(moved, nearest), origin)


def _ratio(these: Tensor, those: Tensor) -> Tensor:
    return torch.where(those > 0, these / those, math.nan)
