"""A number with what it rests on: an interval and how many images it was measured on."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pellucid import plain
from pellucid.errors import ShapeError, count_of
from pellucid.plain import Endless

if TYPE_CHECKING:  # a page with saved estimates is drawn without torch
    import torch


@dataclass(frozen=True)
class Estimate:
    """A measured value, its 95 % interval and the number of images behind it."""

    value: Endless
    low: Endless
    high: Endless
    n: int

    @classmethod
    def from_record(cls, record: Any) -> "Estimate":
        """The estimate that plain values from a file describe; a ValueError says what they are instead."""
        return plain.build(cls, record, "the estimate")

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}] n={self.n}"

    @property
    def decimals(self) -> int:
        """How many decimals say something: two digits of the interval, three of the value, and never below three.

        >>> Estimate(0.00979, 0.0084, 0.0113, 128).decimals, Estimate(0.714, 0.63, 0.79, 128).decimals
        (4, 3)
        """
        width = self.high - self.low
        if not (self.value and abs(self.value) < math.inf and 0 < width < math.inf):
            return 3
        return max(3, min(2 - math.floor(math.log10(abs(self.value))), 1 - math.floor(math.log10(width))))

    @classmethod
    def proportion(cls, successes: int, n: int) -> "Estimate":
        """A share of images, with Wilson's interval, which stays inside [0, 1] and is honest near its ends."""
        if not 0 <= successes <= n or n == 0:
            raise ShapeError(f"{successes} of {count_of(n, 'image')} is no share; measure on at least one image")
        z = 1.959963984540054  # the normal quantile of 97.5 %
        share = successes / n
        center = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        # at 0 and 1 the formula meets the end exactly; rounding must not push it past
        return cls(share, max(0.0, min(center - half, share)), min(1.0, max(center + half, share)), n)

    @classmethod
    def mean(cls, values: "torch.Tensor", *, seed: int = 0) -> "Estimate":
        """The mean over images, with the interval that resampling the images gives (1,000 times)."""
        return cls.resampled(lambda rows: rows.mean(-1), values, seed=seed)

    @classmethod
    def resampled(
        cls, statistic: "Callable[[torch.Tensor], torch.Tensor]", values: "torch.Tensor", *, seed: int = 0
    ) -> "Estimate":
        """A statistic over images with the interval that resampling them gives.

        It is called on the values, and on many drawings of as many at once: (drawings, n, *columns).
        """
        import torch

        if len(values) == 0:
            raise ShapeError("a statistic of 0 images is no number; measure on at least one image")
        values = values.detach().cpu().double()
        generator = torch.Generator().manual_seed(seed)
        # by the hundred, so that memory does not grow with the number of draws
        draws = [torch.randint(len(values), (100, len(values)), generator=generator) for _ in range(10)]
        drawn = torch.cat([statistic(values[rows]) for rows in draws])
        low, high = drawn.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
        return cls(statistic(values).item(), low, high, len(values))
