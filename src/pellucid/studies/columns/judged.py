"""What metrics say of explanations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

from pellucid.evaluate.explanations import Metric
from pellucid.explainers import Explainer, Gradient
from pellucid.studies.column import Column, Figures, Looked
from pellucid.subjects import judgments_of


@final
@dataclass(frozen=True)
class Judged(Column):
    """A metric of each explainer's explanations, by the name that the explainer has here.

    Metrics of a network without its explanations have one figure. `of` is "predicted" or "label".
    """

    metric: Metric
    explainers: Mapping[str, Explainer] = field(default_factory=lambda: {"gradient": Gradient()})
    of: str = "predicted"
    few: bool = False

    @property
    def better(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """As the metric says."""
        return self.metric.better

    @property
    def dear(self) -> bool:
        """As it was asked for."""
        return self.few

    def figures(self, looked: Looked) -> Figures:
        """Measured as `pellucid judge` does."""
        found = judgments_of(
            looked.subject,
            {"metric": self.metric},
            self.explainers,
            folder=looked.folder,
            of=self.of,
            seed=looked.seed,
            job=looked.job,
        )
        alone = len(found) == 1
        return {"" if alone else one.explainer: one.record.mean or one.kind.undefined for one in found}
