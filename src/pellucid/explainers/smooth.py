"""Any explainer's maps over noisy copies of the image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, final

import torch
from torch import Tensor, nn

from pellucid.errors import ConfigError
from pellucid.explainers.copies import at_copies, fold, portions
from pellucid.explainers.explainer import Classes, Explainer, Images, images_of
from pellucid.explainers.explanation import Remark
from pellucid.explainers.gradient import Gradient
from pellucid.papers import ADEBAYO, HOOKER, SMILKOV, cites
from pellucid.probe import Probe

Statistic = Literal["mean", "variance", "mean-square"]

_SAME = 64  # units in the last place of a map's largest value


@cites(SMILKOV)
@final
@dataclass(frozen=True)
class Smooth(Explainer):
    """The mean, the variance or the mean square of an explainer's maps over `samples` noisy copies of the image.

    The noise is normal, with the deviation `sigma` in [0, 1] pixel units whatever the image's own range. With `clean`
    the image itself is one more copy, and with `clip` noisy copies are drawn back into [0, 1].
    """

    explainer: Explainer = field(default_factory=Gradient)
    samples: int = 50
    sigma: float = 0.15
    clean: bool = False
    clip: bool = False
    statistic: Statistic = "mean"

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ConfigError(f"Smooth has samples={self.samples}; give 1 or more")
        if not 0 <= self.sigma <= 1:
            raise ConfigError(f"Smooth has sigma={self.sigma:g}; a deviation is 0 or more, in [0, 1] pixel units")

    @property
    def signed(self) -> bool:
        """Whether maps have a sign: means of maps that have one do, other statistics do not."""
        return self.statistic == "mean" and self.explainer.signed

    @property
    def random(self) -> bool:
        """Whether maps depend on the seed: by the noise, or since the explainer inside is random."""
        return self.sigma > 0 or self.explainer.random

    @property
    def differentiable(self) -> bool:
        """Whether maps can be differentiated: where those of the explainer inside can."""
        return self.explainer.differentiable

    @property
    def learns(self) -> bool:
        """Whether `fit` has to show images to the explainer inside."""
        return self.explainer.learns

    def fit(self, model: nn.Module, images: Images, *, seed: int = 0) -> "Smooth":
        """The same explainer around what the one inside has learned."""
        learned = self.explainer.fit(model, images, seed=seed)
        return self if learned is self.explainer else replace(self, explainer=learned)

    def resolved(self, shape: Sequence[int]) -> "Smooth":
        """The same explainer around one whose settings are those for images of this shape."""
        found = self.explainer.resolved(shape)
        return self if found is self.explainer else replace(self, explainer=found)

    def as_dear(self, model: nn.Module, x: Images) -> "Smooth":
        """The same explainer around one that is as dear as the one inside."""
        found = self.explainer.as_dear(model, x)
        return self if found is self.explainer else replace(self, explainer=found)

    def forwards(self, x: Images) -> int | None:
        """Those of the explainer inside for every copy, and one for the image where it is no copy."""
        inside = self.explainer.forwards(x)
        return None if inside is None else inside * (self.samples + self.clean) + (not self.clean)

    @property
    def legend(self) -> str:
        """What the colors say: as of the explainer inside for a mean, how large a spread is otherwise."""
        if self.statistic == "mean":
            return self.explainer.legend
        if isinstance(self.explainer, Gradient):
            how = "more the gradient varies" if self.statistic == "variance" else "steeper the class's logit"
        else:
            how = "more the map varies" if self.statistic == "variance" else "farther the map is from 0"
        return f"purple has no sign: the darker, the {how} near the image"

    def reach(self, found: Images) -> Tensor | None:
        """That of the explainer inside; of variances and mean squares none, which are in other units."""
        return self.explainer.reach(found) if self.statistic == "mean" else None

    def reads(self, probe: Probe, of: Classes) -> str:
        """What the explainer inside goes by."""
        return self.explainer.reads(probe, of)

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The mean, or another statistic, of the maps of noisy copies, of which only sums are kept."""
        return self._made(probe, of, rows).maps.value()

    def due(self, probe: Probe, of: Classes, rows: int) -> Tensor | None:
        """The mean over the copies of what the explainer inside owes, of their mean map."""
        made = self._made(probe, of, rows)
        return None if made.due is None or self.statistic != "mean" else made.due / made.copies

    def remarks(self, probe: Probe, of: Classes, found: Images) -> Sequence[Remark]:
        """What has to be known of a map: what holds of the maps of all copies of the image."""
        made = self._made(probe, of, rows=len(of))
        remarks = [Remark(text, count == made.copies) for text, count in made.remarks.items()]
        if made.copies > 1 and made.far is not None and made.first is not None:
            largest = made.first.flatten(1).abs().amax(1)
            same = (made.far <= _SAME * torch.finfo(largest.dtype).eps * largest) & (largest > 0)
            remarks.append(Remark(self._unmoved(), same & found.flatten(1).any(1)))
        return remarks

    def _unmoved(self) -> str:
        """What is to be said where all copies have one map."""
        if self.statistic == "variance":
            return "the map is no more than rounding: the noise changed nothing"
        one = "the plain gradient" if isinstance(self.explainer, Gradient) else "that of the image alone"
        return f"the map is {one if self.statistic == 'mean' else f'the square of {one}'}: the noise changed nothing"

    def _made(self, probe: Probe, of: Classes, rows: int) -> "_Made":
        """Maps of all copies, and what is said of them, made once."""
        return probe.shared(("copies", id(self), id(of)), lambda: self._look(probe, of, rows))

    def _look(self, probe: Probe, of: Classes, rows: int) -> "_Made":
        made = _Made(self, of, _Sums(self.statistic))
        if self.clean:
            made = made.and_at(probe, 1, rows)
        for numbers in portions(self.samples, len(of), rows):
            copies = at_copies(probe, numbers, lambda number: self._copy(probe, number))
            made = made.and_at(copies, len(numbers), rows)
        return made

    def _copy(self, probe: Probe, number: int) -> Tensor:
        """The images under noise that follows from the number of the copy, however many are worked on together."""
        x = images_of(probe)
        noisy = x + self.sigma * probe.noise.stream("smoothgrad", number).normal(*x.shape[1:], dtype=x.dtype)
        return noisy.clamp(0, 1) if self.clip else noisy


@cites(SMILKOV)
def SmoothGrad(samples: int = 50, sigma: float = 0.15, clean: bool = True, clip: bool = True) -> Smooth:  # noqa: N802
    """The mean gradient of the class's logit over `samples` noisy copies of the image (Smilkov et al. 2017).

    The settings are those of `Smooth`, whose deviation `sigma` is in [0, 1] pixel units whatever the image's own
    range. The image as one more summand, `clean`, and noisy copies drawn back into [0, 1], `clip`, are as in the code
    of Noack et al. 2021, whose maps the defaults give.
    """
    return Smooth(Gradient(), samples, sigma, clean, clip)


@cites(ADEBAYO, HOOKER)
def VarGrad(samples: int = 25, sigma: float = 0.15) -> Smooth:  # noqa: N802
    """The variance of the gradient of the class's logit over `samples` noisy copies (Adebayo et al. 2018).

    It is the mean squared distance from the mean, so that one sample has none. As in SmoothGrad's published code the
    noise, normal with the deviation `sigma` in [0, 1] pixel units, may leave [0, 1], and the image itself is no copy.
    """
    return Smooth(Gradient(), samples, sigma, statistic="variance")


@cites(SMILKOV, HOOKER)
def SmoothGradSquared(samples: int = 25, sigma: float = 0.15) -> Smooth:  # noqa: N802
    """The mean square of the gradient of the class's logit over `samples` noisy copies (Hooker et al. 2019).

    As in SmoothGrad's published code, whose default it is, the noise, normal with the deviation `sigma` in [0, 1]
    pixel units, may leave [0, 1], and the image itself is no copy.
    """
    return Smooth(Gradient(), samples, sigma, statistic="mean-square")


@dataclass(frozen=True, eq=False)
class _Made:
    """Maps of copies, and in how many of them each remark was made of an image."""

    owner: Smooth
    of: Classes  # kept alive with the owner, so that nothing else comes by their numbers
    maps: "_Sums"
    copies: int = 0
    due: Tensor | None = None
    remarks: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    first: Tensor | None = None  # the map of the first copy, and how far any other lies from it
    far: Tensor | None = None

    def and_at(self, probe: Probe, copies: int, rows: int) -> "_Made":
        """With several copies more of every image, that a probe looks at."""
        explainer, of = self.owner.explainer, self.of.repeat(copies)
        found = explainer.maps(probe, of, rows)
        made = replace(self, copies=self.copies + copies, maps=self.maps.and_of(fold(found, copies)))
        if probe.second_order:
            return made  # maps with a graph come without remarks
        each = fold(found.detach(), copies)
        first = each[0] if self.first is None else self.first
        far = (each - first).abs().flatten(2).amax((0, 2))
        far = far if self.far is None else torch.maximum(far, self.far)
        due = explainer.due(probe, of, rows)
        if due is not None:
            due = fold(due.detach(), copies).sum(0) + (0 if self.due is None else self.due)
        remarks = dict(self.remarks)
        for remark in explainer.remarks(probe, of, found):
            remarks[remark.text] = fold(remark.about.double(), copies).sum(0) + remarks.get(remark.text, 0)
        return replace(made, due=self.due if due is None else due, remarks=remarks, first=first, far=far)


@dataclass(frozen=True, eq=False)
class _Sums:
    """What a statistic needs of maps that come one after another; they are counted from the `shift`."""

    statistic: Statistic
    count: int = 0
    shift: Tensor | None = None
    sum: Tensor | None = None
    squares: Tensor | None = None

    def and_of(self, maps: Tensor) -> "_Sums":
        """With maps of several copies more."""
        shift = self.shift
        if shift is None:
            # the variance is that of distances to any map; near ones lose no digits
            shift = maps[0].detach() if self.statistic == "variance" else torch.zeros_like(maps[0])
        maps = maps - shift
        total = maps.sum(0) + (0 if self.sum is None else self.sum)
        squares = None
        if self.statistic != "mean":
            squares = maps.square().sum(0) + (0 if self.squares is None else self.squares)
        return _Sums(self.statistic, self.count + len(maps), shift, total, squares)

    def value(self) -> Tensor:
        """The statistic of all of them."""
        assert self.sum is not None
        mean = self.sum / self.count
        if self.squares is None:
            return mean
        square = self.squares / self.count
        return square if self.statistic == "mean-square" else square - mean.square()
