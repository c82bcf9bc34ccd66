"""How long the network keeps its answer when pixels are replaced by what their neighbors let expect."""

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, final

import numpy
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu
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

    def aside(self, shape: Sequence[int]) -> float:
        """The seconds that imputing takes; told from an image of which most is gone."""
        return 2 * len(self.percents) * _seconds_to_impute(tuple(shape))

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


@lru_cache(maxsize=64)
def _seconds_to_impute(shape: tuple[int, ...]) -> float:
    if len(shape) != 3:
        return 0.0
    x = torch.zeros(1, *shape)
    gone = torch.zeros(1, *shape[1:], dtype=torch.bool)
    gone[:, 2 * shape[1] // 5 :] = True  # in one piece, as the pixels of a smooth map go
    began = time.perf_counter()
    impute(x, gone)
    return time.perf_counter() - began


_TOLERANCE = 1e-9
_MOST = 10_000


def impute(x: Float[Tensor, "b c h w"], gone: Bool[Tensor, "b h w"]) -> Float[Tensor, "b c h w"]:
    """Images in which every pixel that is gone is the weighted mean of its neighbors, also of those that are gone.

    Neighbors at a side weigh twice as much as those at a corner; beyond the edge there are none (Rong et al. 2022).
    That is a linear system for each image, symmetric and positive wherever one pixel is left. A processor factorizes
    its matrix, image by image; elsewhere all images are solved together, without a matrix.
    """
    if x.device.type != "cpu":
        return by_conjugate_gradients(x, gone)
    return torch.stack([_factorized(image, lost) for image, lost in zip(x, gone, strict=True)]) if len(x) else x


def _factorized(image: Float[Tensor, "c h w"], gone: Bool[Tensor, "h w"]) -> Float[Tensor, "c h w"]:
    lost, count = gone.numpy(), int(gone.sum())
    if count in (0, lost.size):
        return torch.where(gone, 0, image)
    number = numpy.full(lost.shape, -1)
    number[lost] = numpy.arange(count)
    pixels, height, width = image.double().numpy(), *lost.shape
    known, total = numpy.zeros((count, len(pixels))), numpy.zeros(count)
    rows, columns, values = list[NDArray[Any]](), list[NDArray[Any]](), list[NDArray[Any]]()
    for down, right in itertools.product((-1, 0, 1), repeat=2):
        if down == right == 0:
            continue
        weight = 1.0 if down and right else 2.0
        own = (slice(max(0, -down), height - max(0, down)), slice(max(0, -right), width - max(0, right)))
        there = (slice(max(0, down), height + min(0, down)), slice(max(0, right), width + min(0, right)))
        here, other = number[own], number[there]
        asked, both = here >= 0, (here >= 0) & (other >= 0)
        total[here[asked]] += weight  # each pixel comes once in a direction
        seen = asked & (other < 0)
        known[here[seen]] += weight * pixels[(slice(None), *there)][:, seen].T
        rows.append(here[both])
        columns.append(other[both])
        values.append(numpy.full(int(both.sum()), -weight))
    every = numpy.arange(count)
    entries = numpy.concatenate([*values, total])
    places = numpy.concatenate([*rows, every]), numpy.concatenate([*columns, every])
    matrix = csc_matrix((entries, places), shape=(count, count))
    # symmetric and positive, so that no pivots are sought, and the order keeps it sparse
    factors = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    found = pixels.copy()
    found[:, lost] = factors.solve(known).T
    return torch.from_numpy(found).to(image.dtype)


def by_conjugate_gradients(x: Float[Tensor, "b c h w"], gone: Bool[Tensor, "b h w"]) -> Float[Tensor, "b c h w"]:
    """The same by conjugate gradients, without a matrix."""
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
