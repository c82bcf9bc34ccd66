"""Gaussian noise, a corruption that knows nothing of the network."""

import math
from dataclasses import dataclass, field

from pellucid.attacks.attack import Attack, beyond_a_pixel
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.victim import Images, Victim
from pellucid.errors import ConfigError
from pellucid.norms import RMS
from pellucid.papers import cites
from pellucid.protocols import Norm


@cites()
@dataclass(frozen=True)
class GaussianNoise(Attack):
    """Normal noise of standard deviation `sigma` on every pixel, clipped."""

    sigma: float = 0.1
    norm: Norm = field(default_factory=RMS)
    goal: Goal = field(default_factory=Misclassified)

    def __post_init__(self) -> None:
        check_sigma(self.sigma, "GaussianNoise")
        if self.sigma > 1:
            raise ConfigError(f"GaussianNoise has sigma={self.sigma:g}, {beyond_a_pixel(self.sigma)}")

    @property
    def nearest(self) -> bool:
        """Whether the attack looks for the nearest point: noise does not."""
        return False

    def search(self, victim: Victim) -> Images:
        """Add one draw of noise to each image."""
        noise = victim.noise.stream("gaussian").normal(*victim.x.shape[1:], dtype=victim.x.dtype)
        return (victim.x + self.sigma * noise).clamp(0, 1)


def check_sigma(sigma: float, owner: str) -> None:
    """Refuse a spread that is none."""
    if not (math.isfinite(sigma) and sigma > 0):
        raise ConfigError(f"{owner} has sigma={sigma:g}; a standard deviation is above 0")
