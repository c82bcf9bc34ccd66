"""Gaussian blur, a corruption that knows nothing of the network."""

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from pellucid.attacks.attack import Attack
from pellucid.attacks.gaussian_noise import check_sigma
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.victim import Images, Victim
from pellucid.errors import ConfigError, ShapeError
from pellucid.norms import RMS
from pellucid.papers import cites
from pellucid.protocols import Norm

_WIDEST = 1000  # pixels that a blur spreads over


@cites()
@dataclass(frozen=True)
class GaussianBlur(Attack):
    """A Gaussian blur of standard deviation `sigma` pixels; the border is repeated outwards."""

    sigma: float = 1.0
    norm: Norm = field(default_factory=RMS)
    goal: Goal = field(default_factory=Misclassified)

    def __post_init__(self) -> None:
        check_sigma(self.sigma, "GaussianBlur")
        if self.sigma > _WIDEST:
            raise ConfigError(f"GaussianBlur has sigma={self.sigma:g}; it is a number of pixels, {_WIDEST} at most")

    @property
    def nearest(self) -> bool:
        """Whether the attack looks for the nearest point: blurring does not."""
        return False

    def search(self, victim: Victim) -> Images:
        """Blur each image, and return the blurred images."""
        x = victim.x
        if x.dim() != 4:
            raise ShapeError(
                f"GaussianBlur needs images of (channels, height, width); these are {tuple(x.shape[1:])}"
            )
        channels = x.shape[1]
        radius = math.ceil(3 * self.sigma)
        offset = torch.arange(-radius, radius + 1, dtype=x.dtype, device=x.device)
        kernel = torch.softmax(-0.5 * (offset / self.sigma) ** 2, 0).expand(channels, 1, -1)
        # one axis after the other, since the kernel is a product
        rows = F.conv2d(F.pad(x, (radius, radius, 0, 0), "replicate"), kernel[..., None, :], groups=channels)
        return F.conv2d(F.pad(rows, (0, 0, radius, radius), "replicate"), kernel[..., None], groups=channels)
