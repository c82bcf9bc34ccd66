"""Structural similarity."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ConfigError, ShapeError
from pellucid.metrics.agreement.similarity import Planes, Similarity

Windows = Float[Tensor, "b down across"]

# Wang et al.'s constants, for maps whose range is 1
_BRIGHTNESS, _CONTRAST = 0.01**2, 0.03**2


@dataclass(frozen=True)
class SSIM(Similarity):
    """The mean likeness of brightness, contrast and structure in small windows (Wang et al. 2004).

    Brightness is compared after each map has been divided by its largest absolute value, as in Joo et al. (2023);
    `compare` takes maps as they are. Windows that reach beyond the border are left out, and maps smaller than one
    window are refused. The constants follow from the range of both maps of an image together, so that neither their
    order nor other images matter.

    `compat="official"` is as in the code of Joo et al.: the range is that of the first maps alone, of all images at
    once, and maps go on as zeros beyond the border. Their first maps are those of the changed images.
    """

    window: int = 7
    sigma: float = 1.5
    compat: Literal["none", "official"] = "none"
    undefined: ClassVar[str] = "both maps are constant"

    def __post_init__(self) -> None:
        if self.window < 1 or self.window % 2 == 0:
            raise ConfigError(f"ssim has window={self.window}; a window has a middle; give an odd number of pixels")
        if not 0 < self.sigma <= self.window:
            raise ConfigError(
                f"ssim has sigma={self.sigma:g}; give the width of a window in pixels, above 0 and at most "
                f"its window of {self.window}"
            )

    def compare(self, these: Planes, those: Planes) -> Float[Tensor, " b"]:
        """NaN where all values of both maps are the same."""
        if self.compat == "none" and min(these.shape[1:]) < self.window:
            shown = " x ".join(str(side) for side in these.shape[1:])
            raise ShapeError(f"maps are {shown} and a window of ssim is {self.window} wide; give a smaller window")
        extent = self._extent(these, those)
        meaningful = extent > 0
        # at a range of 1, or the squares of tiny gradients would vanish
        unit = torch.where(meaningful, extent, 1)[:, None, None]
        found = self._local(these / unit, those / unit).mean((1, 2))
        return torch.where(meaningful, found, math.nan)

    def _extent(self, these: Planes, those: Planes) -> Float[Tensor, " b"]:
        if self.compat == "official":
            return (these.max() - these.min()).expand(len(these))
        both = torch.cat([these.flatten(1), those.flatten(1)], 1)
        return both.amax(1) - both.amin(1)

    def _local(self, these: Planes, those: Planes) -> Windows:
        # all at once, since small maps cost little beside the calls
        kinds = torch.cat([these, those, these.square(), those.square(), these * those])
        mean, other_mean, square, other_square, product = self._blurred(kinds).unflatten(0, (5, -1))
        # no variance is below 0, but rounding is
        variance = (square - mean.square()).clamp_min(0)
        other_variance = (other_square - other_mean.square()).clamp_min(0)
        covariance = product - mean * other_mean
        brightness = (2 * mean * other_mean + _BRIGHTNESS) / (mean.square() + other_mean.square() + _BRIGHTNESS)
        return brightness * (2 * covariance + _CONTRAST) / (variance + other_variance + _CONTRAST)

    def _blurred(self, maps: Planes) -> Windows:
        reach = self.window // 2
        place = torch.arange(-reach, reach + 1, dtype=maps.dtype, device=maps.device)
        bell = (-0.5 * (place / self.sigma).square()).exp()
        bell = bell / bell.sum()
        beyond = reach if self.compat == "official" else 0
        down = F.conv2d(maps[:, None], bell[None, None, :, None], padding=(beyond, 0))
        return F.conv2d(down, bell[None, None, None, :], padding=(0, beyond))[:, 0]
