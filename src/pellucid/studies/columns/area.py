"""The accuracy-robustness area."""

from dataclasses import dataclass, field
from typing import final

from pellucid.attacks import FMN, Attack
from pellucid.errors import ConfigError, MeasurementError
from pellucid.norms import RMS
from pellucid.studies.column import Column, Figures, Looked
from pellucid.subjects import measurement_of


@final
@dataclass(frozen=True)
class Area(Column):
    """The area under accuracy against distance, by an attack that looks for the nearest failure: an upper bound."""

    attack: Attack = field(default_factory=lambda: FMN(norm=RMS()))
    few: bool = True

    def __post_init__(self) -> None:
        if not self.attack.nearest:
            raise ConfigError("the attack knows no distances; give one that looks for the nearest point, such as fmn")

    @property
    def dear(self) -> bool:
        """As it was asked for."""
        return self.few

    def figures(self, looked: Looked) -> Figures:
        """Measured as `pellucid measure` does."""
        measurement = measurement_of(
            looked.subject, self.attack, folder=looked.folder, seed=looked.seed, job=looked.job
        )
        try:
            return {"": measurement.record.area()}
        except MeasurementError as error:
            return {"": str(error)}
