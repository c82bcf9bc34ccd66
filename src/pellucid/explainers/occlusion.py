"""Occlusion: by how much the logit falls when a window hides a part of the image."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal, final

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

_PASSES = 200  # that windows of "auto" take at the most
_LEAST = 4  # pixels, which are seen to be hidden; in smaller images than twice that, half a side


@cites(ZEILER)
@final
@dataclass(frozen=True)
class Occlusion(Explainer):
    """How far the class's logit falls when a square window shows the baseline (Zeiler and Fergus 2014).

    A pixel's value is the mean over the windows that cover it. Windows lie `stride` apart and hide all channels; the
    last ones end with the image. By "auto" a window is 4 pixels wide, or as wide as it takes for 200 passes to be
    enough, and half a window is between two; in images of less than 8 pixels it is half of the shorter side at most.
    """

    window: int | Literal["auto"] = "auto"
    stride: int | Literal["auto"] = "auto"
    baseline: Baseline = 0.0

    def __post_init__(self) -> None:
        if self.window != "auto" and self.window < 1:
            raise ConfigError(f"Occlusion has window={self.window}; give 1 pixel or more, or 'auto'")
        most = math.inf if self.window == "auto" else self.window
        if self.stride != "auto" and not 1 <= self.stride <= most:
            to = "1 pixel or more" if self.window == "auto" else f"a stride from 1 to {self.window}"
            raise ConfigError(
                f"Occlusion has stride={self.stride} and window={self.window}; "
                f"give {to}, or no window covers some pixels"
            )
        check_baseline("Occlusion", self.baseline)

    def resolved(self, shape: Sequence[int]) -> "Occlusion":
        """The same explainer with the window and the stride that images of this shape get."""
        if len(shape) != 3 or "auto" not in (self.window, self.stride):
            return self
        window, stride = self.window, self.stride
        if window == "auto":
            found = next(one for one in _windows(min(shape[1:])) if _passes(shape[1:], *one) <= _PASSES)
            window = found[0] if stride == "auto" else max(found[0], stride)
            stride = found[1] if stride == "auto" else stride
        return replace(self, window=window, stride=max(1, window // 2) if stride == "auto" else stride)

    def forwards(self, x: Images) -> int:
        """One pass for each window, and one for the image."""
        own = self.resolved(x.shape[1:])
        assert own.window != "auto"
        assert own.stride != "auto"
        return _passes(x.shape[2:], own.window, own.stride)

    @property
    def legend(self) -> str:
        """What the colors say: how the logit changes when a place is hidden."""
        return "the logit falls where red is hidden, and rises where blue is"

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """How far the logit falls where windows hide a pixel: one forward pass a window, and one for the image."""
        high, wide = sides("Occlusion", probe.x)
        if self.window != "auto" and self.window > max(high, wide):
            raise ShapeError(
                f"Occlusion has window={self.window} for images of {high} x {wide}; "
                f"give 1 to {max(high, wide)} pixels, or 'auto'"
            )
        x, own = images_of(probe), self.resolved(probe.x.shape[1:])
        assert own.window != "auto"
        assert own.stride != "auto"
        side, stride = own.window, own.stride
        hidden = baseline_of(x, self.baseline, probe.network)
        tops, lefts = _starts(high, side, stride), _starts(wide, side, stride)

        def occluded(number: int) -> Tensor:
            top, left = tops[number // len(lefts)], lefts[number % len(lefts)]
            window = (..., slice(top, top + side), slice(left, left + side))
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
            down, across = _covers(tops, side, high, x), _covers(lefts, side, wide, x)
            total = torch.einsum("hi,ijb,wj->bhw", down, fall, across)
            return to_every_channel(total / (down.sum(1)[:, None] * across.sum(1)), x)

    def reach(self, found: Images) -> Tensor:
        """The largest fall, which a window makes alone."""
        return found.flatten(1).abs().amax(1)

    def idle(self, probe: Probe, of: Classes, rows: int) -> Tensor:
        """The pixels that are as the baseline."""
        return idle_share(probe.x.detach(), self.baseline, probe.network)


def _windows(shorter: int) -> Iterator[tuple[int, int]]:
    """Windows with their strides, the finest first; in the end one covers every image."""
    if shorter < 2 * _LEAST:
        yield max(1, shorter // 2), max(1, shorter // 4)
    for stride in count(_LEAST // 2):
        yield 2 * stride, stride


def _passes(sides: Sequence[int], window: int, stride: int) -> int:
    return 1 + math.prod(len(_starts(side, window, stride)) for side in sides)


def _starts(side: int, window: int, stride: int) -> range:
    """Where windows begin: as many as it takes to cover the last pixel."""
    return range(0, max(side - window, 0) + stride, stride)


def _covers(starts: range, window: int, side: int, like: Tensor) -> Float[Tensor, "side windows"]:
    """Which pixels of a side each window covers; windows are products of such, so no mask is ever made."""
    place = torch.arange(side, device=like.device)[:, None]
    start = torch.tensor(starts, device=like.device)
    return ((place >= start) & (place < start + window)).to(like.dtype)
