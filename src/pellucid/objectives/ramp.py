"""A weight that changes by the clock."""

import math
from dataclasses import dataclass
from typing import ClassVar

from pellucid.errors import ConfigError


@dataclass(frozen=True)
class Ramp:
    """A weight that rises in a straight line from `start` to `end` over the first part `over` of training."""

    registry: ClassVar[str] = "pellucid.objectives:WEIGHTS"

    end: float
    start: float = 0.0
    over: float = 1.0

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            if not math.isfinite(getattr(self, name)):
                raise ConfigError(f"{name} is {getattr(self, name)}; a weight is a finite number")
        if not 0 < self.over <= 1:
            raise ConfigError(f"over is {self.over}; it is the part of training that the ramp takes, in (0, 1]")

    def at(self, progress: float) -> float:
        """The weight when this part of training is done."""
        return self.start + (self.end - self.start) * min(1.0, progress / self.over)
