"""Accuracy under an attack."""

from dataclasses import dataclass, field
from typing import final

from pellucid.attacks import PGD, Attack
from pellucid.errors import ConfigError
from pellucid.studies.column import Column, Figures, Looked
from pellucid.subjects import measurement_of


@final
@dataclass(frozen=True)
class RobustAccuracy(Column):
    """The share of images that stay right under an attack with a budget; where it has several, one for each."""

    attack: Attack = field(default_factory=lambda: PGD(eps=8 / 255))
    few: bool = False

    share = True

    def __post_init__(self) -> None:
        if not self.attack.levels:
            raise ConfigError(
                "the attack has no budget to be right within; give one that has, or take the column area"
            )

    @property
    def dear(self) -> bool:
        """As it was asked for."""
        return self.few

    def figures(self, looked: Looked) -> Figures:
        """Measured as `pellucid measure` does."""
        record = measurement_of(
            looked.subject, self.attack, folder=looked.folder, seed=looked.seed, job=looked.job
        ).record
        levels = self.attack.levels
        found = {eps: record.robust_accuracy(eps) for eps in levels}
        return {"": found[levels[0]]} if len(levels) == 1 else {f"{eps:.6g}": one for eps, one in found.items()}
