"""Whether a map says anything of its own class."""

import math
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, final

from jaxtyping import Int
from torch import Tensor

from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.likeness import Likeness
from pellucid.evaluate.explanations.metric import Columns, Needs
from pellucid.metrics.agreement import Similarity, Spearman
from pellucid.metrics.agreement.planar import Sign, planes
from pellucid.papers import cites


@cites(
    "Sixt, Granz and Landgraf, When explanations lie: why many modified BP attributions fail, ICML 2020. "
    "arXiv 1912.09818"
)
@final
@dataclass(frozen=True)
class ClassSensitivity(Likeness):
    """How alike the maps of two classes of the same image are (Sixt et al. 2020); a map about its class differs.

    The `other` class is the one with the largest logit beside the class explained, or one drawn at random.
    """

    better: ClassVar = "lower"
    needs: ClassVar[Needs] = "explainer"
    other: Literal["runner-up", "random"] = "runner-up"
    similarity: Similarity = field(default_factory=Spearman)
    sign: Sign = "signed"

    @property
    def cost(self) -> str:
        """What it takes for an image: the other class's map."""
        return "1 explanation and 1 forward pass"

    def scores(self, case: Case) -> Columns:
        """The similarity, and which class it is with."""
        other = self._other(case)
        theirs = replace(case, of=other).explained(case.x)
        return {"value": self.similarity(planes(case.maps, self.sign), planes(theirs, self.sign)), "other": other}

    def _other(self, case: Case) -> Int[Tensor, " b"]:
        logits = case.logits(case.x)
        if self.other == "runner-up":
            return logits.scatter(1, case.of[:, None], -math.inf).argmax(1)
        drawn = case.noise.stream("class-sensitivity").integers(logits.shape[1] - 1)
        return drawn + (drawn >= case.of)
