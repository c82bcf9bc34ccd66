"""How long the network keeps its answer when pixels are replaced by what their neighbors let expect."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.metric import Columns, Metric
from pellucid.evaluate.explanations.removal import answers, copies_noise, places, predicted, varied
from pellucid.metrics.agreement.planar import Sign, planes
from pellucid.papers import cites


@cites(
    "Rong, Leemann, Borisov, Kasneci and Kasneci, A consistent and efficient evaluation strategy for "
    "attribution methods, 2022."
)
@final
@dataclass(frozen=True)
class ROAD(Metric):
    """How much more often the class is kept when the least important pixels go first (Rong et al. 2022).

    Pixels that go are imputed from their neighbors, plus noise, so that little shows which went.
    Columns `most_first` and `least_first` say for each of `percents` whether the network still says the class.
    """

    better: ClassVar = "higher"

    percents: tuple[float, ...] = tuple(range(1, 100, 2))
    noise: float = 0.01
    sign: Sign = "signed"

    def __post_init__(self) -> None:
        if not self.percents or not all(0 < percent < 100 for percent in self.percents):
            raise ConfigError(f"road has percents={_shown(self.percents)}; give one or more between 0 and 100")
        if not 0 <= self.noise <= 1:
            raise ConfigError(f"road has noise={self.noise:g}; give a deviation from 0 to 1")

    @property
    def low(self) -> float:
        """The least that a value can be: only the least important pixels matter."""
        return -1.0

    @property
    def high(self) -> float:
        """The first of the most important pixels decide, and the others never."""
        return 1.0

    @property
    def undefined(self) -> str:
        """No order of pixels, or none that would be guessed otherwise."""
        return "the map is constant, or the image is"

    @property
    def cost(self) -> str:
        """Two passes for each part of the image."""
        return f"{2 * len(self.percents)} forward passes and as many imputations"

    def scores(self, case: Case) -> Columns:
        """How often the class is kept, the least important first, less the same with the most important first."""
        values = planes(case.maps, self.sign)
        most, least = (self.kept(case, signed) for signed in (values, -values))
        value = (least.double() - most.double()).mean(1)
        # pixels of an even image are guessed as what they are
        known = varied(values) & (case.x.flatten(2).amax(2) > case.x.flatten(2).amin(2)).any(1)
        return {"value": value.where(known, torch.nan), "most_first": most, "least_first": least}

    def kept(self, case: Case, values: Tensor) -> Bool[Tensor, "b percents"]:
        """Whether the network says the class when so much of the image is gone, the largest values first."""
        place = places(values, case.noise)
        counts = torch.tensor([int(values[0].numel() * percent / 100) for percent in self.percents])
        counts, noise = counts.to(place.device), case.noise.stream("road")

        def make(image: Tensor, number: Tensor) -> Tensor:
            gone = place[image] < counts[number, None, None]
            guessed = impute(case.x[image], gone)
            if not self.noise:
                return guessed
            drawn = copies_noise(noise, image, number).normal(*guessed.shape[1:], dtype=guessed.dtype)
            return torch.where(gone[:, None], guessed + self.noise * drawn, guessed)

        return answers(case, len(self.percents), make, predicted)


def _shown(values: Sequence[float]) -> str:
    return "(" + ", ".join(f"{value:g}" for value in values) + ")"


_TOLERANCE = 1e-9
_MOST = 10_000


def impute(x: Float[Tensor, "b c h w"], gone: Bool[Tensor, "b h w"]) -> Float[Tensor, "b c h w"]:
    """Images in which every pixel that is gone is the weighted mean of its neighbors, also of those that are gone.

    Neighbors at a side weigh twice as much as those at a corner; beyond the edge there are none (Rong et al. 2022).
    That is a linear system for each image, symmetric and positive wherever one pixel is left, so it is solved by
    conjugate gradients: all images together, on the device where they are, and without a matrix.
    """
    lost, seen = gone[:, None].double(), (~gone)[:, None] * x.double()
    weights = _neighbors(torch.ones_like(lost))

    def apply(values: Tensor) -> Tensor:
        return lost * (weights * values - _neighbors(values))

    residual = lost * _neighbors(seen)
    found, direction = torch.zeros_like(residual), residual
    left = enough = _squares(residual)
    enough = enough * _TOLERANCE**2
    for _ in range(_MOST):
        if bool((left <= enough).all()):
            break
        image = apply(direction)
        # where nothing is left to do the direction is zero
        length = left / _squares(direction, image).clamp_min(_LEAST)
        found, residual = found + length * direction, residual - length * image
        after = _squares(residual)
        direction, left = residual + after / left.clamp_min(_LEAST) * direction, after
    return torch.where(gone[:, None], found, x).to(x.dtype)


_LEAST = torch.finfo(torch.float64).tiny


def _neighbors(values: Tensor) -> Tensor:
    """The weighted sum of each pixel's eight neighbors; those at a side weigh 2, those at a corner 1."""
    return _row(_row(values, 2), 3) - 4 * values


def _row(values: Tensor, axis: int) -> Tensor:
    """Twice each value and those before and after it."""
    summed = 2 * values
    size = values.shape[axis]
    summed.narrow(axis, 0, size - 1).add_(values.narrow(axis, 1, size - 1))
    summed.narrow(axis, 1, size - 1).add_(values.narrow(axis, 0, size - 1))
    return summed


def _squares(one: Tensor, other: Tensor | None = None) -> Float[Tensor, "b c 1 1"]:
    return (one * (one if other is None else other)).sum((2, 3), keepdim=True)
