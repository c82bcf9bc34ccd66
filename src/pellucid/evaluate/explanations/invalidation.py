"""How small a change of the image makes its explanation another one, while the answer stays."""

from dataclasses import dataclass, field
from typing import ClassVar, final

import torch
from torch import Tensor

from pellucid.attacks.explanations import Decorrelate, ExplanationAttack, Manipulated
from pellucid.attacks.explanations.attack import Optimizer
from pellucid.attacks.explanations.scene import Keep
from pellucid.errors import ConfigError
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.likeness import Likeness
from pellucid.evaluate.explanations.manipulation import attacked, manipulated
from pellucid.evaluate.explanations.metric import Columns
from pellucid.explainers import Gradient
from pellucid.metrics.agreement import Pearson, Similarity, Spearman, TopK
from pellucid.metrics.agreement.planar import Sign, planes
from pellucid.norms import RMS
from pellucid.papers import WOODS, cites
from pellucid.protocols import Explains, Norm


@cites(WOODS)
@final
@dataclass(frozen=True)
class Invalidation(Likeness):
    """The mean over several budgets of how alike a map stays to itself under attacks that leave the label.

    The attack lowers the `similarity`, which must be one that can be differentiated. What was found within a budget
    counts for all larger ones.
    """

    better: ClassVar = "higher"
    needs: ClassVar = "explainer"

    budgets: tuple[float, ...] = (0.001, 0.002, 0.005, 0.01)
    norm: Norm = field(default_factory=RMS)
    similarity: Similarity = field(default_factory=Pearson)
    share: float = 0.1
    steps: int = 100
    optimizer: Optimizer = "steepest"
    restarts: int = 1
    keep: Keep = "label"
    softplus: float = 20.0
    sign: Sign = "absolute"

    def __post_init__(self) -> None:
        if not self.budgets or any(one >= other for one, other in zip(self.budgets, self.budgets[1:], strict=False)):
            raise ConfigError(f"invalidation has budgets={list(self.budgets)}; give one or more, each above the last")
        TopK(self.share)
        for eps in self.budgets:
            self._attack(Gradient(), eps)

    @property
    def undefined(self) -> str:
        """No map to compare, or no attack to speak of."""
        return "a map is constant, or the search had no slope to follow"

    @property
    def cost(self) -> str:
        """Every step explains, and takes the map's slope."""
        return f"{len(self.budgets) * self.restarts * self.steps} explanations and their slopes"

    def scores(self, case: Case) -> Columns:
        """The mean over budgets, and a column for each thing that is said of each budget."""
        rungs, best, blind = list[Columns](), None, torch.zeros(len(case), dtype=torch.bool, device=case.x.device)
        for eps in self.budgets:
            found = manipulated(case, self._attack(attacked(case.explainer), eps))
            rung = self._rung(case, found)
            # a point of a smaller ball lies in the larger one
            best = rung if best is None else _better(rung, best)
            blind = blind | found.blind
            rungs.append(best)
        columns = {name: torch.stack([rung[name] for rung in rungs], 1) for name in rungs[0] if name != "loss"}
        value = torch.where(blind, torch.nan, columns["similarity"].double().mean(1))
        return {"value": value, **columns}

    def _attack(self, explainer: Explains, eps: float) -> ExplanationAttack:
        return ExplanationAttack(
            explainer,
            Decorrelate(self.similarity),
            eps,
            self.norm,
            self.steps,
            optimizer=self.optimizer,
            restarts=self.restarts,
            keep=self.keep,
            softplus=self.softplus,
            sign=self.sign,
        )

    def _rung(self, case: Case, found: Manipulated) -> Columns:
        before, after = planes(case.maps, self.sign), planes(found.after, self.sign)
        return {
            "similarity": self.similarity(before, after),
            "spearman": Spearman()(before, after),
            "top_k": TopK(self.share)(before, after),
            "distance": found.distance,
            "kept": found.kept,
            "shift": found.shift,
            "loss": found.loss,
        }


def _better(these: Columns, those: Columns) -> Columns:
    chosen: Tensor = these["loss"] < those["loss"]
    return {name: torch.where(chosen, these[name], those[name]) for name in these}
