"""How much of a map is left after an attack on it."""

from dataclasses import dataclass, field
from typing import ClassVar, final

from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.manipulation import Manipulation, attacked, found_out, manipulated, unless_blind
from pellucid.evaluate.explanations.metric import Columns
from pellucid.metrics.agreement import Pearson, Similarity
from pellucid.metrics.agreement.planar import planes
from pellucid.papers import JOO, cites


@cites(JOO)
@final
@dataclass(frozen=True)
class AdversarialSimilarity(Manipulation):
    """How alike an image's map is to that of the image after an attack on it (SAPS; Joo et al. 2023)."""

    better: ClassVar = "higher"

    similarity: Similarity = field(default_factory=Pearson)

    @property
    def low(self) -> float:
        """Maps as unlike as they can be."""
        return self.similarity.low

    @property
    def high(self) -> float:
        """The most that a value can be: the attack changed nothing."""
        return 1.0

    def scores(self, case: Case) -> Columns:
        """The similarity, and what the attack did beside."""
        found = manipulated(case, self.attack(attacked(case.explainer)))
        # the attacked map first, as in the authors' code
        value = self.similarity(planes(found.after, self.sign), planes(case.maps, self.sign))
        return {"value": unless_blind(value, found), **found_out(found)}
