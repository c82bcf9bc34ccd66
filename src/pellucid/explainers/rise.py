"""RISE: which pixels were to be seen when the network was sure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pellucid.errors import ConfigError
from pellucid.explainers.baseline import Baseline, baseline_of, check_baseline, idle_share
from pellucid.explainers.copies import at_copies, fold, portions
from pellucid.explainers.explainer import (
    Classes,
    Explainer,
    Explanation,
    Images,
    check_classes,
    check_maps,
    classes_of,
    images_of,
    unlabeled,
)
from pellucid.explainers.explanation import Remark
from pellucid.explainers.plane import sides, to_every_channel
from pellucid.explainers.room import in_parts
from pellucid.explainers.rounding import (
    HARDLY,
    ROUNDED,
    hardly,
    precision,
    rounding,
    rounding_of_probability,
)
from pellucid.papers import PETSIUK, cites
from pellucid.probe import Probe
from pellucid.randomness import Noise, derive


@cites(PETSIUK)
@final
@dataclass(frozen=True)
class RISE(Explainer):
    """The mean answer under random masks, weighted by how much of the pixel each mask shows (Petsiuk et al. 2018).

    A mask is a grid of `cells` x `cells` that are shown with the probability `keep`, enlarged bilinearly and shifted
    by up to a cell; what it hides shows the baseline. The answer is the class's probability, or its logit without
    `of_probability`. With `centered` the mean over all masks is subtracted, which leaves a signed map.
    """

    masks: int = 4000
    cells: int = 7
    keep: float = 0.5
    baseline: Baseline = 0.0
    of_probability: bool = True
    centered: bool = False

    def __post_init__(self) -> None:
        if self.masks < 1:
            raise ConfigError(f"RISE has masks={self.masks}; give 1 or more")
        if self.cells < 1:
            raise ConfigError(f"RISE has cells={self.cells}; give 1 or more")
        if not 0 < self.keep < 1:
            raise ConfigError(f"RISE has keep={self.keep:g}; a probability of showing a cell lies between 0 and 1")
        check_baseline("RISE", self.baseline)

    @property
    def signed(self) -> bool:
        """Whether maps have a sign: those of a logit, and those that the mean answer has been taken off."""
        return self.centered or not self.of_probability

    @property
    def legend(self) -> str:
        """What the colors say; only without the mean answer do they speak for the class or against it."""
        if self.centered:
            return "red raises the answer where it is seen, blue lowers it"
        if self.signed:
            return "red is a mean logit above 0 where the pixel was seen, blue below"
        return "purple has no sign: the darker, the surer the network was where the pixel was seen"

    @property
    def random(self) -> bool:
        """Whether maps depend on the seed: they do, as the masks are drawn."""
        return True

    def forwards(self, x: Images) -> int:
        """One pass for each mask, and one for the image."""
        return self.masks + 1

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The mean answer with each pixel seen: one forward pass a mask over each image; only sums are kept."""
        return self._sums(probe, of, rows, errors=False).map(self.centered, probe.x)

    def remarks(self, probe: Probe, of: Classes, found: Images) -> Sequence[Remark]:
        """Whether the answer moves from mask to mask at all, and by more than rounding."""
        places = found[:, 0].flatten(1)
        moved = places.amax(1) - places.amin(1)
        if self.of_probability:
            sure = probe.logits.detach().softmax(1).gather(1, of[:, None])[:, 0]
            most = rounding_of_probability(probe.logits, of) + precision(probe.logits) * sure
        else:
            most = rounding(probe.logits, of)
        rounded = (moved > 0) & (moved <= most)
        remarks = [Remark(ROUNDED, rounded)]
        return [*remarks, Remark(HARDLY, hardly(moved) & ~rounded)] if self.of_probability else remarks

    def idle(self, probe: Probe, of: Classes, rows: int) -> Tensor:
        """The pixels that are as the baseline."""
        return idle_share(probe.x.detach(), self.baseline, probe.network)

    def with_errors(
        self, model: nn.Module, x: Images, of: int | Tensor | str, *, seed: int = 0, memory: int | None = None
    ) -> tuple[Explanation, Images]:
        """The explanation, and the standard error of each pixel that comes of having drawn no more masks."""
        if self.masks < 2:
            raise ConfigError(f"RISE has masks={self.masks}; errors can be told from 2 or more")
        batch = unlabeled(x.detach(), of)
        check_classes(batch, of)

        def drawn(probe: Probe, part: slice, rows: int) -> tuple[Tensor, Tensor, Tensor]:
            classes = classes_of(probe, of, part)
            sums = self._sums(probe, classes, rows, errors=True)
            return sums.map(self.centered, probe.x).detach(), sums.errors(self.centered, probe.x).detach(), classes

        parts = in_parts(model, batch, drawn, seed=seed, memory=memory)
        found, errors, classes = (torch.cat(column) for column in zip(*parts, strict=True))
        check_maps("RISE", torch.stack([found, errors], 1))
        return Explanation(found, classes), errors

    def _sums(self, probe: Probe, of: Classes, rows: int, *, errors: bool) -> "_Sums":
        x = images_of(probe)
        sides("RISE", x)
        hidden = baseline_of(x, self.baseline, probe.network)
        with torch.set_grad_enabled(probe.second_order):
            sums = _Sums.none(self._answer(probe.logits, of).detach(), x, errors)
            for numbers in portions(self.masks, len(of), rows):
                masks = self.drawn(probe, numbers)
                shown = dict(zip(numbers, masks[:, :, None], strict=True))
                copies = at_copies(probe, numbers, lambda number, shown=shown: hidden.lerp(x, shown[number]))
                answers = self._answer(copies.logits, of.repeat(len(numbers)))
                sums = sums.and_of(masks, fold(answers, len(numbers)))
        return sums

    def _answer(self, logits: Tensor, of: Classes) -> Float[Tensor, " rows"]:
        scores = logits.softmax(1) if self.of_probability else logits
        return scores.gather(1, of[:, None]).squeeze(1)

    def drawn(self, probe: Probe, numbers: range) -> Float[Tensor, "n b h w"]:
        """The masks of these numbers, others for each image: 1 shows a pixel, 0 hides it."""
        index, dtype = probe.batch.index, probe.x.dtype
        number = torch.tensor(numbers, device=index.device)
        # all at once, which is why numbers go into the index and not into the name of a stream
        noise = Noise(probe.noise.seed, (index + _APART * number[:, None]).flatten()).stream("rise")
        shown = (noise.stream("cells").uniform(self.cells, self.cells, dtype=dtype) < self.keep).to(dtype)
        down, across = (
            self._enlarging(noise.stream(axis).uniform(dtype=torch.float64), side, dtype)
            for axis, side in zip(("down", "across"), probe.x.shape[2:], strict=True)
        )
        return fold(down @ shown @ across.mT, len(numbers))

    def _enlarging(self, share: Tensor, side: int, dtype: torch.dtype) -> Float[Tensor, "rows side cells"]:
        """How much each pixel of a side takes of each cell, when the enlarged grid is shifted by a share of a cell.

        As published, the grid is enlarged to one cell more than the image and its shift is 0 to a cell, in pixels.
        """
        cell = math.ceil(side / self.cells)
        shift: Int[Tensor, " rows"] = (share * (cell + 1)).long()
        place = torch.arange(side, device=share.device) + shift[:, None] + 0.5
        center = (place * self.cells / (cell * (self.cells + 1)) - 0.5).clamp(0, self.cells - 1).to(dtype)
        return (1 - (center[..., None] - torch.arange(self.cells, device=share.device)).abs()).relu()


_APART = derive("rise") | 1  # odd, so that no two numbers of masks share an index


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over masks M and answers f; of f less its value without a mask, so that no digits are lost."""

    origin: Float[Tensor, "b 1 1"]
    of_squares: bool
    count: int
    f: Float[Tensor, "b 1 1"]
    ff: Float[Tensor, "b 1 1"]
    m: Float[Tensor, "b h w"]
    mf: Float[Tensor, "b h w"]
    mff: Float[Tensor, "b h w"]
    mm: Float[Tensor, "b h w"]
    mmf: Float[Tensor, "b h w"]
    mmff: Float[Tensor, "b h w"]

    @classmethod
    def none(cls, origin: Float[Tensor, " b"], x: Images, errors: bool) -> "_Sums":
        """Of no mask yet."""
        origin = origin[:, None, None]
        none, zeros = torch.zeros_like(origin), x.detach().new_zeros(x.shape[:1] + x.shape[2:])
        return cls(origin, errors, 0, none, none, zeros, zeros, zeros, zeros, zeros, zeros)

    def and_of(self, masks: Float[Tensor, "n b h w"], answers: Float[Tensor, "n b"]) -> "_Sums":
        """With a few masks more, and the network's answers under them."""
        f = answers[..., None, None] - self.origin
        mf = masks * f
        more = replace(
            self,
            count=self.count + len(masks),
            f=self.f + f.sum(0),
            m=self.m + masks.sum(0),
            mf=self.mf + mf.sum(0),
        )
        if not self.of_squares:
            return more
        return replace(
            more,
            ff=self.ff + f.square().sum(0),
            mff=self.mff + (mf * f).sum(0),
            mm=self.mm + masks.square().sum(0),
            mmf=self.mmf + (masks * mf).sum(0),
            mmff=self.mmff + mf.square().sum(0),
        )

    def map(self, centered: bool, x: Images) -> Images:
        """Divided by what the masks have shown of each pixel; one that none showed has the mean answer."""
        mean = self.f / self.count
        beyond = (self.mf - mean * self.m) / self._shown()
        return to_every_channel(beyond if centered else beyond + mean + self.origin, x)

    def errors(self, centered: bool, x: Images) -> Images:
        """Of a quotient of means, to first order: the deviation of M (f - its weighted mean), over the mean of M."""
        count, shown = self.count, self._shown()
        here, mean = self.mf / shown, self.f / self.count
        squares = self.mmff - 2 * here * self.mmf + here.square() * self.mm
        if centered:
            scale = shown / count
            crossed = self.mff - (here + mean) * self.mf + here * mean * self.m
            squares = squares / scale.square() - 2 * crossed / scale + self.ff - count * mean.square()
            return to_every_channel((squares.clamp_min(0) / (count * (count - 1))).sqrt(), x)
        return to_every_channel((squares.clamp_min(0) * count / (count - 1)).sqrt() / shown, x)

    def _shown(self) -> Tensor:
        return torch.where(self.m > 0, self.m, 1)
