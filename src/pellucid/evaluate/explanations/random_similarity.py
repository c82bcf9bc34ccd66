"""Whether maps stay as they are under a little noise."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal, final

from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.likeness import Likeness
from pellucid.evaluate.explanations.metric import Columns
from pellucid.evaluate.explanations.nearby import at_neighbors, check_draws
from pellucid.metrics.agreement import Pearson, Similarity
from pellucid.metrics.agreement.planar import Scale, Sign, planes, scaled
from pellucid.papers import JOO, cites


@cites(JOO)
@final
@dataclass(frozen=True)
class RandomSimilarity(Likeness):
    """The mean similarity of an image's map to those of `draws` noisy copies of it (Joo et al. 2023).

    Noise is uniform in [-eps, eps] for each pixel, and copies are clipped to [0, 1]. `scale` says what maps are
    divided by first, which matters to similarities that see a factor, as SSIM does.

    `compat="official"` divides the image's own map by its sum from the second draw on, and those of copies by their
    largest value throughout, as the authors' code does.
    """

    eps: float = 4 / 255
    draws: int = 10
    similarity: Similarity = field(default_factory=Pearson)
    sign: Sign = "absolute"
    scale: Scale = "largest"
    compat: Literal["none", "official"] = "none"
    better: ClassVar = "higher"
    needs: ClassVar = "explainer"

    def __post_init__(self) -> None:
        check_draws("random-similarity", self.eps, self.draws)
        if self.compat == "official" and self.scale != "largest":
            raise ConfigError(
                f"random-similarity has scale='{self.scale}' and compat='official', which is about maps divided by "
                "their largest value; leave one of them out"
            )

    @property
    def undefined(self) -> str:
        """One draw that cannot be compared is enough: leaving it out would flatter the others."""
        return f"{self.similarity.undefined}, the image's or that of a draw"

    @property
    def cost(self) -> str:
        """What it takes for an image: one map for each draw."""
        return f"{self.draws} explanations"

    def scores(self, case: Case) -> Columns:
        """The mean over draws, with their standard deviation and the worst of them."""
        found = at_neighbors(case, self.eps, self.draws, self._compare).double()
        spread = found.std(1, correction=1 if self.draws > 1 else 0)
        return {"value": found.mean(1), "spread": spread, "lowest": found.amin(1)}

    def _compare(self, case: Case, number: int, x: Tensor, maps: Tensor) -> Float[Tensor, " b"]:
        scale: Scale = "sum" if self.compat == "official" and number else self.scale
        own, other = planes(case.maps, self.sign), planes(maps, self.sign)
        # the copy first, as in the authors' code, where the first map's range sets the constants of SSIM
        return self.similarity.compare(scaled(other, self.scale), scaled(own, scale))
