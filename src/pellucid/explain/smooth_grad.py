"""Gradients averaged over noisy copies of the image."""

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from pellucid.batch import Batch
from pellucid.errors import ConfigError
from pellucid.explain.explainer import Classes, Explainer, Images
from pellucid.probe import Probe


@final
@dataclass(frozen=True)
class SmoothGrad(Explainer):
    """The mean gradient of the class's logit over `samples` noisy copies of the image (Smilkov et al. 2017).

    The noise is normal, with the deviation `sigma` in [0, 1] pixel units whatever the image's own range. With `clean`
    the image itself is one more summand of equal weight, and with `clip` noisy copies are drawn back into [0, 1]:
    both as in the code of Noack et al. 2021, whose maps the defaults give. Copies are worked on as many at a time as
    make `chunk` rows with the batch, and at least one.
    """

    samples: int = 50
    sigma: float = 0.15
    clean: bool = True
    clip: bool = True
    chunk: int = 32

    def __post_init__(self) -> None:
        for name in ("samples", "chunk"):
            if getattr(self, name) < 1:
                raise ConfigError(f"SmoothGrad has {name}={getattr(self, name)}; give 1 or more")
        if not (math.isfinite(self.sigma) and self.sigma >= 0):
            raise ConfigError(f"SmoothGrad has sigma={self.sigma:g}; a deviation is 0 or more, in [0, 1] pixel units")

    @property
    def random(self) -> bool:
        """Only without noise it is not."""
        return self.sigma > 0

    def maps(self, probe: Probe, of: Classes) -> Images:
        """The mean over all copies."""
        total = probe.gradient(of).clone() if self.clean else torch.zeros_like(probe.x, requires_grad=False)
        at_once = max(1, self.chunk // len(of))
        for first in range(0, self.samples, at_once):
            copies = range(first, min(first + at_once, self.samples))
            rows = torch.cat([self._copy(probe, number) for number in copies])
            batch = Batch.trusted(rows, probe.y.repeat(len(copies)), {})
            gradient = Probe(probe.model, batch, second_order=False).gradient(of.repeat(len(copies)))
            total += gradient.unflatten(0, (len(copies), len(of))).sum(0)
        return total.div_(self.samples + self.clean)

    def _copy(self, probe: Probe, number: int) -> Tensor:
        """The images under noise that follows from the number of the copy, however many are worked on together."""
        x = probe.x.detach()
        noisy = x + self.sigma * probe.noise.stream("smoothgrad", number).normal(*x.shape[1:], dtype=x.dtype)
        return noisy.clamp(0, 1) if self.clip else noisy
