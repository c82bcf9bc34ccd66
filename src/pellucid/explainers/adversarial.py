"""Adversarial explanations: what the image would need for the network to be sure."""

import math
from dataclasses import dataclass, field
from typing import final

from pellucid.attacks import Confirmed, Shell
from pellucid.batch import Batch
from pellucid.errors import ConfigError
from pellucid.explainers.explainer import Classes, Explainer, Images
from pellucid.norms import RMS, Linf
from pellucid.papers import WOODS, cites
from pellucid.probe import Probe
from pellucid.protocols import Norm


@cites(WOODS)
@final
@dataclass(frozen=True)
class AdversarialExplanation(Explainer):
    """The change of about `rho` in length that makes the network surest of the class (Woods et al. 2019).

    The settings are the published ones: lengths are root mean squares over pixels and channels, and the changed image
    may leave [0, 1] unless `clip` holds it there. The walk ends near that length, not exactly on it.
    """

    rho: float = 0.1
    norm: Norm = field(default_factory=RMS)
    steps: int = 35
    overshoot: float = 5.0
    clip: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.rho) and self.rho > 0) or (isinstance(self.norm, Linf | RMS) and self.rho > 1):
            raise ConfigError(
                f"AdversarialExplanation has rho={self.rho:g}; a length is above 0, in [0, 1] pixel units"
            )
        if self.steps < 1:
            raise ConfigError(f"AdversarialExplanation has steps={self.steps}; a search takes 1 step or more")
        if not 1 <= self.overshoot <= 100:
            raise ConfigError(
                f"AdversarialExplanation has overshoot={self.overshoot:g}; a trajectory shorter than rho cannot "
                "reach it, and one longer than 100 rho leads nowhere else"
            )

    @property
    def differentiable(self) -> bool:
        """Whether maps can be differentiated: the end of a search cannot."""
        return False

    @property
    def legend(self) -> str:
        """What the colors say: how the image changes on its way to the image that explains it."""
        return (
            "the image that it leads to, cut off at black and white; and the change around gray: "
            "lighter is brighter, darker is darker, the largest as white or black"
        )

    @property
    def leads_to_image(self) -> bool:
        """Whether an image and its map together explain it: yes, the map is a change of the image."""
        return True

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The changed image less the image."""
        batch = Batch.trusted(probe.x.detach(), of, {"index": probe.batch.index})
        search = Shell(self.rho, self.steps, self.overshoot, Confirmed(), self.norm, self.clip, floor=1e-8)
        return search.points(probe.network, batch, noise=probe.noise) - batch.x
