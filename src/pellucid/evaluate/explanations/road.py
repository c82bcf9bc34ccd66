"""How long the network keeps its answer when pixels are replaced by what their neighbors let expect."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Bool
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.imputation import impute
from pellucid.evaluate.explanations.metric import Columns, Metric
from pellucid.evaluate.explanations.removal import answers, copies_noise, places, predicted, varied
from pellucid.metrics.agreement.planes import Sign, planes


@final
@dataclass(frozen=True)
class ROAD(Metric):
    """By how much more often the class is kept when the least important pixels go first (Rong et al. 2022).

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
        """Only the least important pixels matter."""
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
