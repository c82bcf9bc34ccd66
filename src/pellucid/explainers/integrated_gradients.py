"""Gradients along the straight way from a baseline to the image."""

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Literal, final

import numpy as np
import torch
from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.errors import ConfigError, MeasurementError, count_of
from pellucid.explainers.baseline import Baseline, baseline_of, check_baseline, idle_share
from pellucid.explainers.copies import at_copies, fold, portions
from pellucid.explainers.explainer import Classes, Explainer, Images, images_of, summed
from pellucid.papers import cites
from pellucid.probe import Probe

Quadrature = Literal["midpoint", "gauss-legendre", "trapezoid", "left", "right"]
"""How an integral over [0, 1] is taken for a weighted sum of values at a few places."""

_DOUBLINGS = 5
_FEW = 8  # steps by which it is foretold how many an image needs, since what is missing is halved by twice as many
# of the sum of a map's absolute values, where the logit hardly rises and no rule could be near in terms of that
_PART = 0.1
_ROUNDING = 100  # units in the last place of the largest logit


@cites("Sundararajan, Taly and Yan, Axiomatic Attribution for Deep Networks, ICML 2017. arXiv 1703.01365")
@final
@dataclass(frozen=True)
class IntegratedGradients(Explainer):
    """The mean gradient on the way from a baseline to the image, times the way (Sundararajan et al. 2017).

    The exact map adds up to what the class's logit rises by on that way. `steps` are the places that `rule` looks at.
    They are doubled, five times at most, for images whose sum is off by more than `tolerance` times the rise, or
    times a tenth of the map's absolute sum where that is more; `math.inf` tolerates all. Without `times_input` the
    map is the mean gradient alone.
    """

    baseline: Baseline = 0.0
    steps: int = 50
    rule: Quadrature = "midpoint"
    tolerance: float = 0.05
    times_input: bool = True

    def __post_init__(self) -> None:
        check_baseline("IntegratedGradients", self.baseline)
        least = 2 if self.rule == "trapezoid" else 1
        if self.steps < least:
            raise ConfigError(
                f"IntegratedGradients has steps={self.steps}; the rule '{self.rule}' needs {least} or more"
            )
        if not (0 < self.tolerance <= 1 or self.tolerance == math.inf):
            raise ConfigError(
                f"IntegratedGradients has tolerance={self.tolerance:g}; give a part of the rise, in (0, 1], or inf"
            )

    def as_dear(self, model: nn.Module, x: Images) -> "IntegratedGradients":
        """As many steps as these images would take together with those that turned out too few, foretold from few."""
        if not math.isfinite(self.tolerance):
            return self
        found = replace(self, steps=_FEW, tolerance=math.inf, times_input=True)(model, x, "predicted")
        assert found.completeness is not None, "a map times the way is due to add up to the rise"
        allowed = self._allowed(found.completeness.due, found.map.flatten(1).abs().sum(1).double())
        needed = _FEW * found.completeness.gap.abs() / allowed.clamp_min(torch.finfo(torch.float64).tiny)
        doublings = (needed / self.steps).clamp(1, 2**_DOUBLINGS).log2().ceil()
        return replace(self, steps=round(self.steps * float((2 ** (doublings + 1) - 1).mean())), tolerance=math.inf)

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The mean gradient, with as many steps as each image needs."""
        way = self._way(probe, of)
        mean = self._mean_gradients(way, rows, self.steps)
        if math.isfinite(self.tolerance):
            mean = self._refined(way, rows, mean)
        return mean * way.length if self.times_input else mean

    def due(self, probe: Probe, of: Classes, rows: int) -> Tensor | None:
        """How far the logit rises from the baseline; the mean gradient alone need not add up to anything."""
        return self._way(probe, of).rise[0] if self.times_input else None

    def reach(self, found: Images) -> Tensor:
        """The sum of its magnitudes."""
        return summed(found)

    def idle(self, probe: Probe, of: Classes, rows: int) -> Tensor | None:
        """The pixels that are as the baseline; the mean gradient alone has something to say of them, too."""
        return idle_share(probe.x.detach(), self.baseline, probe.network) if self.times_input else None

    def _way(self, probe: Probe, of: Classes) -> "_Way":
        """Made once for the maps and for what they are due to add up to."""
        return probe.shared(("way", self, id(of)), lambda: _Way(probe, of, self.baseline))

    def _refined(self, way: "_Way", rows: int, mean: Tensor) -> Tensor:
        steps, (rise, rounding) = self.steps, way.rise
        while True:
            parts = (mean.detach() * way.length.detach()).flatten(1)
            gap = (parts.sum(1) - rise).abs()
            # maps that are no numbers are not wide: the caller tells of them
            wide = gap > rounding + self._allowed(rise, parts.abs().sum(1))
            if not wide.any():
                return mean
            if steps == self.steps * 2**_DOUBLINGS:
                raise MeasurementError(
                    f"IntegratedGradients is not complete for {int(wide.sum())} of {count_of(len(wide), 'image')}: "
                    f"with {steps} "
                    f"steps the sum of a map is still off by up to {float(gap[wide].max()):.3g}; "
                    "give more steps, or a larger tolerance"
                )
            steps *= 2
            these = wide.nonzero()[:, 0]
            mean = mean.index_copy(0, these, self._mean_gradients(way.of_some(these), rows, steps))

    def _allowed(self, rise: Tensor, magnitude: Tensor) -> Tensor:
        """How far the sums of maps may be off."""
        return self.tolerance * torch.maximum(rise.abs(), _PART * magnitude)

    def _mean_gradients(self, way: "_Way", rows: int, steps: int) -> Tensor:
        at, weights = nodes(self.rule, steps)
        mean = torch.zeros_like(way.length)
        for numbers in portions(steps, len(way.of), rows):
            copies = at_copies(way.probe, numbers, lambda number: way.start + at[number] * way.length)
            gradients = fold(copies.gradient(way.of.repeat(len(numbers))), len(numbers))
            share = torch.tensor([weights[number] for number in numbers]).to(gradients)
            mean = mean + torch.tensordot(share, gradients, 1)
        return mean


class _Way:
    """The straight way of each image from its baseline."""

    def __init__(self, probe: Probe, of: Classes, baseline: Baseline) -> None:
        self.probe = probe
        self.of = of
        self.baseline: Baseline = baseline
        self.start = baseline_of(images_of(probe), baseline, probe.network)
        self.length = images_of(probe) - self.start

    @cached_property
    def rise(self) -> tuple[Tensor, Tensor]:
        """How far the class's logit rises on it, and what of a difference may be rounding."""
        first, last = self.probe.at(self.start.detach()).logits.detach(), self.probe.logits.detach()
        largest = torch.maximum(first.abs(), last.abs()).amax(1)
        return (last - first).gather(1, self.of[:, None])[:, 0], _ROUNDING * torch.finfo(first.dtype).eps * largest

    def of_some(self, these: Tensor) -> "_Way":
        """The ways of these images alone."""
        batch = self.probe.batch
        some = Batch.trusted(images_of(self.probe)[these], batch.y[these], {"index": batch.index[these]})
        return _Way(self.probe.on(some), self.of[these], self.baseline)


@lru_cache(maxsize=16)
def nodes(rule: Quadrature, steps: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The places on the path where a rule looks, and their weights, which sum to 1."""
    numbers = np.arange(steps)
    weights = np.full(steps, 1 / steps)
    if rule == "gauss-legendre":
        roots, widths = np.polynomial.legendre.leggauss(steps)
        return tuple(((roots + 1) / 2).tolist()), tuple((widths / 2).tolist())
    if rule == "trapezoid":
        weights = np.full(steps, 1 / (steps - 1))
        weights[[0, -1]] /= 2
        return tuple((numbers / (steps - 1)).tolist()), tuple(weights.tolist())
    shift = {"midpoint": 0.5, "left": 0.0, "right": 1.0}[rule]
    return tuple(((numbers + shift) / steps).tolist()), tuple(weights.tolist())
