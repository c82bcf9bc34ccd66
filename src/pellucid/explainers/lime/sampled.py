"""As many masks as each image needs, and the linear models that come of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from pellucid.batch import Batch
from pellucid.explainers.lime.hidden import Baseline, hidden, idle
from pellucid.explainers.lime.kernel import Kernel, weights
from pellucid.explainers.lime.masks import BLOCK, drawn
from pellucid.explainers.lime.perturbed import Output, Perturbed
from pellucid.explainers.lime.regression import Fit, fit
from pellucid.explainers.lime.statistics import Sums
from pellucid.explainers.lime.surrogates import Surrogates, joined
from pellucid.probe import Probe

_NUMBERS = 2**23  # doubles that may be kept at once: 64 MiB
_LEAST, _EACH = 1000, 20


@dataclass(frozen=True)
class Sampling:
    """The settings of `Lime` that come after segments."""

    masks: int | None
    alpha: float
    kernel: Kernel
    width: float
    baseline: Baseline
    antithetic: bool
    output: Output
    features: int
    tolerance: float
    most: int

    def __call__(
        self, probe: Probe, segments: Int[Tensor, "b h w"], classes: Int[Tensor, "b k"], rows: int
    ) -> tuple[Surrogates, bool]:
        """The linear models, and whether masks left some coefficient undetermined.

        As many images are worked on together as there is room for the sums of.
        """
        x, features = probe.x.detach(), int(segments.max()) + 1
        systems = 3 + 4 * (classes.shape[1] if self.features else 1)
        many = max(1, _NUMBERS // (features * (systems * features + 3 * BLOCK)))
        parts, short = list[Surrogates](), False
        with torch.no_grad():
            for first in range(0, len(x), many):
                part = slice(first, first + many)
                images = Batch.trusted(x[part], probe.y[part], {"index": probe.batch.index[part]})
                found, fell_short = self._together(probe.on(images), segments[part], classes[part], rows)
                parts.append(found)
                short |= fell_short
        return joined(parts), short

    def _together(self, probe: Probe, segments: Tensor, classes: Tensor, rows: int) -> tuple[Surrogates, bool]:
        x, counts = probe.x.detach(), segments.flatten(1).amax(1) + 1
        sizes: list[int] = counts.tolist()
        nothing = hidden(x, segments, self.baseline, probe.network)
        seen, useless = Perturbed(probe, x, nothing, segments, classes, self.output, rows), idle(x, nothing, segments)
        there = torch.arange(max(sizes), device=x.device) < counts[:, None]
        sums = Sums(len(x), classes.shape[1], max(sizes), x.device)
        wanted = [max(_LEAST, _EACH * size) if self.masks is None else self.masks for size in sizes]
        done = 0
        while done < max(wanted):
            # where one has what it wanted is only of interest if it may want more
            stops = [want for want in wanted if want > done] if self.tolerance else [max(wanted)]
            end = min((done // BLOCK + 1) * BLOCK, *stops, max(wanted))
            self._add(sums, seen, probe, sizes, range(done, end), wanted)
            done = end
            if done in wanted and self.tolerance:
                settled: list[bool] = self._settled(fit(sums, there & ~useless, self.alpha, self.features)).tolist()
                wanted = [
                    min(2 * want, self.most) if want == done < self.most and not enough else want
                    for want, enough in zip(wanted, settled, strict=True)
                ]
        found = fit(sums, there & ~useless, self.alpha, self.features)
        return Surrogates(
            found.coefficients,
            found.standard_errors,
            found.intercepts,
            found.r2,
            found.adjusted_r2,
            classes,
            segments,
            counts,
            there & useless,
            sums.count.long(),
            sums.weight.square() / sums.square,
        ), bool(found.short.any())

    def _add(
        self, sums: Sums, seen: Perturbed, probe: Probe, sizes: Sequence[int], numbers: range, wanted: Sequence[int]
    ) -> None:
        """Masks of these numbers, which are all of one block, for those images that want so many."""
        block, device = numbers.start // BLOCK, probe.x.device
        masks = drawn(probe.noise, block, sizes, antithetic=self.antithetic)
        masks = masks[:, numbers.start - block * BLOCK : numbers.stop - block * BLOCK]
        used = [min(len(numbers), max(0, want - numbers.start)) for want in wanted]
        shown = masks.sum(2) / torch.tensor(sizes, dtype=torch.float64, device=device)[:, None]
        counting = torch.arange(len(numbers), device=device) < torch.tensor(used, device=device)[:, None]
        sums.add(masks, weights(shown, self.kernel, self.width), seen.answers(masks, used), counting)

    def _settled(self, found: Fit) -> Tensor:
        """Whether the errors of an image are small beside its largest coefficient, for every class."""
        largest = found.coefficients.abs().amax(2)
        return (found.standard_errors.amax(2) <= self.tolerance * largest).all(1)
