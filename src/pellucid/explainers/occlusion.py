"""Occlusion: by how much the logit falls when a window hides a part of the image."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ConfigError, ShapeError
from pellucid.explainers.baseline import Baseline, baseline_of, check_baseline, idle_share
from pellucid.explainers.copies import at_copies, fold, portions
from pellucid.explainers.explainer import Classes, Explainer, Images, images_of
from pellucid.explainers.plane import sides, to_every_channel
from pellucid.papers import ZEILER, cites
from pellucid.probe import Probe


@cites(ZEILER)
@final
@dataclass(frozen=True)
class Occlusion(Explainer):
    """How far the class's logit falls when a square window shows the baseline (Zeiler and Fergus 2014).

    A pixel's value is the mean over the windows that cover it. Windows lie `stride` apart and hide all channels; the
    last ones end with the image.
    """

    window: int = 4
    stride: int = 2
    baseline: Baseline = 0.0

    def __post_init__(self) -> None:
        if self.window < 1:
            raise ConfigError(f"Occlusion has window={self.window}; give 1 pixel or more")
        if not 1 <= self.stride <= self.window:
            raise ConfigError(
                f"Occlusion has stride={self.stride} and window={self.window}; "
                f"give a stride from 1 to {self.window}, or no window covers some pixels"
            )
        check_baseline("Occlusion", self.baseline)

    @property
    def legend(self) -> str:
        """What the colors say: how the logit changes when a place is hidden."""
        return "the logit falls where red is hidden, and rises where blue is"

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """How far the logit falls where windows hide a pixel: one forward pass a window, and one for the image."""
        high, wide = sides("Occlusion", probe.x)
        if self.window > min(high, wide):
            raise ShapeError(
                f"Occlusion has window={self.window} for images of {high} x {wide}; "
                f"give 1 to {min(high, wide)} pixels"
            )
        x = images_of(probe)
        hidden, tops, lefts = baseline_of(x, self.baseline, probe.network), self._starts(high), self._starts(wide)

        def occluded(number: int) -> Tensor:
            top, left = tops[number // len(lefts)], lefts[number % len(lefts)]
            window = (..., slice(top, top + self.window), slice(left, left + self.window))
            copy = x.clone()
            copy[window] = hidden[window]
            return copy

        after = list[Tensor]()
        with torch.set_grad_enabled(probe.second_order):
            before = probe.logits.gather(1, of[:, None]).squeeze(1)
            for numbers in portions(len(tops) * len(lefts), len(of), rows):
                logits = fold(at_copies(probe, numbers, occluded).logits, len(numbers))
                after.append(logits.gather(2, of.expand(len(numbers), -1)[..., None]).squeeze(2))
            fall = (before - torch.cat(after)).unflatten(0, (len(tops), len(lefts)))
            down, across = self._covers(tops, high, x), self._covers(lefts, wide, x)
            total = torch.einsum("hi,ijb,wj->bhw", down, fall, across)
            return to_every_channel(total / (down.sum(1)[:, None] * across.sum(1)), x)

    def idle(self, probe: Probe, of: Classes, rows: int) -> Tensor:
        """The pixels that are as the baseline."""
        return idle_share(probe.x.detach(), self.baseline, probe.network)

    def _starts(self, side: int) -> range:
        """Where windows begin: as many as it takes to cover the last pixel."""
        return range(0, side - self.window + self.stride, self.stride)

    def _covers(self, starts: range, side: int, like: Tensor) -> Float[Tensor, "side windows"]:
        """Which pixels of a side each window covers; windows are products of such, so no mask is ever made."""
        place = torch.arange(side, device=like.device)[:, None]
        start = torch.tensor(starts, device=like.device)
        return ((place >= start) & (place < start + self.window)).to(like.dtype)
