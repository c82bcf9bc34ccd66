"""How near an attack brings a map to one of its choice."""

from dataclasses import dataclass, field
from typing import ClassVar, final

from pellucid.attacks.explanations import TowardsMap
from pellucid.errors import ConfigError
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.manipulation import Manipulation, attacked, found_out, manipulated, unless_blind
from pellucid.evaluate.explanations.metric import Columns
from pellucid.metrics.agreement import Pearson, Similarity
from pellucid.papers import JOO, cites


@cites(JOO)
@final
@dataclass(frozen=True)
class TargetSimilarity(Manipulation):
    """How alike the map of an attacked image is to the one that was aimed for (TAPS; Joo et al. 2023)."""

    better: ClassVar = "lower"

    similarity: Similarity = field(default_factory=Pearson)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.aim, TowardsMap):
            raise ConfigError(
                f"target-similarity has an aim of {type(self.aim).__name__}, which knows no map that it wants; "
                "take frame or towards"
            )

    @property
    def low(self) -> float:
        """Maps as unlike as they can be."""
        return self.similarity.low

    @property
    def high(self) -> float:
        """The attack got what it wanted."""
        return 1.0

    def scores(self, case: Case) -> Columns:
        """The similarity now, that of the map before, and what the attack did beside."""
        attack = self.attack(attacked(case.explainer))
        found = manipulated(case, attack)
        target = attack.target(found.before, case.batch)
        value = self.similarity(attack.seen(found.after), target)
        # that of a constant map counts as none, so that the column stays finite
        before = self.similarity(attack.seen(found.before), target).nan_to_num(0)
        return {"value": unless_blind(value, found), "before": before, **found_out(found)}
