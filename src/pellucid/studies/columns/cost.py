"""What training cost."""

from dataclasses import dataclass
from typing import ClassVar, Literal, final

from pellucid.metrics import Estimate
from pellucid.studies.column import Column, Figures, Looked


@final
@dataclass(frozen=True)
class Cost(Column):
    """Seconds of training for a thousand images, the median over epochs; they depend on the machine and its load."""

    better: ClassVar[Literal["higher", "lower", "neither"]] = "lower"
    varies: ClassVar[bool] = True

    def figures(self, looked: Looked) -> Figures:
        """What the run noted of its epochs."""
        each = sorted(1000 / epoch.images_per_second for epoch in looked.run.epochs())
        return {"": Estimate(each[len(each) // 2], each[0], each[-1], len(each))}
