"""A weight that watches another term."""

import math
from dataclasses import dataclass, field, replace
from typing import ClassVar, Union

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.objectives.ramp import Ramp


@dataclass(eq=False)
class Adaptive:
    """A weight that grows while the watched term is below `level` and shrinks, slowly, while it is above.

    The integral controller of Woods et al. (2019): the logarithm of level / watched is summed over the batches,
    clipped to [-fall, rise] in each, never below 0, and the weight is start * exp(gain * sum). It counts batches, so
    it depends on their size. The running sum is the one piece of state that an objective has; a checkpoint keeps it.
    """

    registry: ClassVar[str] = "pellucid.objectives:WEIGHTS"

    level: float = 1.5
    start: float = 220.0
    gain: float = 0.02
    rise: float = 1.0
    fall: float = 0.01
    watch: str = "cross-entropy"
    integral: Float[Tensor, ""] = field(
        default_factory=lambda: torch.zeros((), dtype=torch.float64), init=False, repr=False
    )

    def __post_init__(self) -> None:
        for name in ("level", "start", "rise", "fall"):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(f"{name} is {getattr(self, name)}; an adaptive weight needs it above 0, and finite")
        if not 0 <= self.gain * self.rise <= 1:
            raise ConfigError(
                f"gain is {self.gain} with a rise of {self.rise}; a batch multiplies the weight by up to "
                "exp(gain * rise), so let the product lie in [0, 1] (0 for a fixed weight)"
            )

    def step(self, watched: Float[Tensor, ""]) -> Float[Tensor, ""]:
        """Take in the watched term of one batch and give the weight for it."""
        change = -(watched.double() / self.level).log()
        # kept on the device: reading it back would make the host wait at every step
        integral = self.integral.to(watched.device) + change.clamp(-self.fall, self.rise)
        self.integral = integral.clamp_min(0)
        return (self.start * (self.gain * self.integral).exp()).to(watched.dtype)


def multiplied(
    weight: Union[float, "Ramp", "Adaptive"], factor: Union[float, "Ramp", "Adaptive"]
) -> "float | Ramp | Adaptive":
    """The product of two weights, of which at most one may change during training."""
    if isinstance(weight, int | float) and isinstance(factor, int | float):
        return float(weight * factor)
    if isinstance(weight, int | float):
        weight, factor = factor, weight
    if not isinstance(factor, int | float):
        raise ConfigError("two changing weights cannot be multiplied; give each term one of them")
    if isinstance(weight, Ramp):
        return replace(weight, start=weight.start * factor, end=weight.end * factor)
    assert isinstance(weight, Adaptive)
    # a new one in any case: two terms that shared it would each make it take a step
    return replace(weight, start=weight.start * factor)
