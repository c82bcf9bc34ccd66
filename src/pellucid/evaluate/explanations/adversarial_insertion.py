"""Whether an attacked map still finds the pixels that matter."""

from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch

from pellucid.errors import ConfigError
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.fills import Fill, idle
from pellucid.evaluate.explanations.insertion import Insertion
from pellucid.evaluate.explanations.manipulation import Manipulation, attacked, found_out, manipulated, unless_blind
from pellucid.evaluate.explanations.metric import Columns
from pellucid.evaluate.explanations.removal import varied
from pellucid.metrics.agreement.planar import planes
from pellucid.papers import JOO, cites


@cites(JOO)
@final
@dataclass(frozen=True)
class AdversarialInsertion(Manipulation):
    """Insertion of the clean image's pixels, in the order of its map after an attack (Joo et al. 2023).

    `points`, `fill` and `compat` are as for insertion.
    """

    better: ClassVar = "higher"

    points: int = 20
    fill: Fill = "zero"
    compat: Literal["none", "official"] = "none"

    @property
    def low(self) -> float:
        """The class is never thought of."""
        return 0.0

    @property
    def high(self) -> float:
        """The network is sure from the start."""
        return 1.0

    @property
    def undefined(self) -> str:
        """Why an image may have no value: as of insertion, too."""
        return f"{super().undefined}, or the image is as the fill throughout"

    @property
    def cost(self) -> str:
        """The attack, and two curves."""
        return f"{super().cost}, and {2 * (self.points + (self.compat == 'none'))} forward passes"

    def scores(self, case: Case) -> Columns:
        """The mean of the curve, the curve, the mean by the map before, and what the attack did beside."""
        found = manipulated(case, self.attack(attacked(case.explainer)))
        insertion = Insertion(steps=self.points, fill=self.fill, compat=self.compat)
        order = planes(found.after, self.sign)
        curve = insertion.curve(case, order)
        clean = insertion.curve(case, planes(case.maps, self.sign)).double().mean(1)
        share = idle(case, self.fill)
        value = torch.where(varied(order) & (share < 1), curve.double().mean(1), torch.nan)
        columns = {"curve": curve, "clean": clean, "idle": share, **found_out(found)}
        return {"value": unless_blind(value, found), **columns}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.points < 1:
            raise ConfigError(f"adversarial-insertion has points={self.points}; give 1 or more")
        Insertion(steps=self.points, fill=self.fill, compat=self.compat)
