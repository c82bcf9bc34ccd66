"""Whether a map foretells by how much the answer falls when the image is changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ConfigError, ShapeError
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.fills import Fill, check_fill, filled, idle
from pellucid.evaluate.explanations.metric import Columns, Metric
from pellucid.evaluate.explanations.removal import Make, answers, copies_noise, logit, probability
from pellucid.papers import YEH, cites

Change = Literal["noise", "square"]
"""What is taken from an image: normal noise, or what a square of it shows beyond the fill."""

_LEAST, _PARTS = 4, 8  # pixels of a square's side, and the part of the image's that it is else


@cites(YEH)
@final
@dataclass(frozen=True)
class Infidelity(Metric):
    """The mean square between what a map foretells of a change and what the change does (Yeh et al. 2019).

    `change` is what is taken from the image: noise of the given `deviation`, or a square of `side` pixels at a random
    place, which shows `fill` instead; by "auto" 4, or an eighth of the image's shorter side where that is more. With
    `scaled` each map is first multiplied by what suits it best, so that only its shape is judged. Columns
    `foretold` and `fell` hold both sides of every sample.
    """

    better: ClassVar = "lower"

    samples: int = 100
    change: Change = "noise"
    deviation: float = 0.2
    side: int | Literal["auto"] = "auto"
    fill: Fill = 0.0
    scaled: bool = False
    of_probability: bool = False

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ConfigError(f"infidelity has samples={self.samples}; give 1 or more")
        if not 0 < self.deviation <= 1:
            raise ConfigError(f"infidelity has deviation={self.deviation:g}; give a number above 0, 1 at most")
        if self.side != "auto" and self.side < 1:
            raise ConfigError(f"infidelity has side={self.side}; give 1 pixel or more, or 'auto'")
        check_fill("infidelity", self.fill)

    @property
    def low(self) -> float:
        """The map foretells every change."""
        return 0.0

    @property
    def undefined(self) -> str:
        """A map of zeros foretells something too, that nothing happens; but where nothing can there is no test."""
        return "the image is as the fill throughout" if self.change == "square" else "which cannot be"

    @property
    def ignores_scale(self) -> bool:
        """Whether the length of maps makes no difference: only if they are fitted to how far answers fall."""
        return self.scaled

    @property
    def ignores_sign(self) -> bool:
        """The factor that suits a map best may be negative."""
        return self.scaled

    def resolved(self, shape: Sequence[int]) -> "Infidelity":
        """With the side that a square has in images of this shape."""
        if self.side != "auto" or len(shape) != 3:
            return self
        shorter = min(shape[1:])
        return replace(self, side=min(shorter, max(_LEAST, round(shorter / _PARTS))))

    @property
    def cost(self) -> str:
        """One pass a sample, and one over the image."""
        return f"{self.samples + 1} forward passes"

    def scores(self, case: Case) -> Columns:
        """The mean square of each image, and what was foretold and what was found in each sample."""
        read, taken = probability if self.of_probability else logit, self.changes(case)
        before = read(case.logits(case.x), case.of)[:, None]
        foretold = torch.empty(len(case), self.samples, dtype=case.x.dtype, device=case.x.device)

        def make(image: Tensor, number: Tensor) -> Tensor:
            change = taken(image, number)
            foretold[image, number] = (change * case.maps[image]).flatten(1).sum(1)
            return case.x[image] - change

        fell = before - answers(case, self.samples, make, read)
        value = self.value(foretold.double(), fell.double())
        if self.change != "square":
            return {"value": value, "foretold": foretold, "fell": fell}
        share = idle(case, self.fill)
        return {
            "value": value.masked_fill(share == 1, torch.nan),
            "foretold": foretold,
            "fell": fell,
            "idle": share,
        }

    def changes(self, case: Case) -> Make:
        """What each sample takes from each image."""
        noise, x = case.noise.stream("infidelity"), case.x
        if x.dim() != 4:
            raise ShapeError(f"infidelity reads images of (channels, height, width); these are {tuple(x.shape[1:])}")
        if self.change == "noise":
            return lambda image, number: (
                self.deviation * copies_noise(noise, image, number).normal(*x.shape[1:], dtype=x.dtype)
            )
        long = self.resolved(x.shape[1:]).side
        assert long != "auto"
        if long > min(x.shape[2:]):
            high, wide = x.shape[2:]
            raise ShapeError(
                f"infidelity has side={long} for images of {high} x {wide}; "
                f"give 1 to {min(high, wide)} pixels, or 'auto'"
            )
        beyond = x - filled(case, self.fill)

        def square(image: Tensor, number: Tensor) -> Tensor:
            drawn = copies_noise(noise, image, number)
            down, across = (
                _covered(drawn.stream(axis).integers(side - long + 1), long, side)
                for axis, side in zip(("down", "across"), x.shape[2:], strict=True)
            )
            return beyond[image] * (down[:, None, :, None] & across[:, None, None, :])

        return square

    def value(self, foretold: Float[Tensor, "b n"], fell: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        """The mean square of the difference, after what was foretold has been multiplied where it is `scaled`."""
        if self.scaled:
            square = foretold.square().sum(1, keepdim=True)
            scale = (foretold * fell).sum(1, keepdim=True) / torch.where(square > 0, square, 1)
            foretold = scale * foretold
        return (foretold - fell).square().mean(1)


def _covered(start: Tensor, long: int, side: int) -> Tensor:
    place = torch.arange(side, device=start.device)
    return (place >= start[:, None]) & (place < start[:, None] + long)
