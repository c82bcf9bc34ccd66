"""What a column of a study is: a measurement of a trained network, as one figure or several with names."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pellucid.data import Data
from pellucid.ledger import Job
from pellucid.metrics import Estimate
from pellucid.runs import RunFolder, Spec
from pellucid.subjects import Subject

Figures = Mapping[str, Estimate | str]
"""Estimates by name, "" for the only one; a sentence stands where there is none, and says why."""


@dataclass(frozen=True, eq=False)
class Looked:
    """A trained network with the images that a column looks at it with, the same for all rows and seeds.

    What is kept while it is measured lies in `folder`.
    """

    subject: Subject
    run: RunFolder
    spec: Spec
    data: Data
    seed: int
    folder: Path
    job: Job


class Column(ABC):
    """A measurement of a network; `few` columns are dear, and take the fewer images of a scale."""

    registry: ClassVar[str] = "pellucid.studies:COLUMNS"
    better: ClassVar[Literal["higher", "lower", "neither"]] = "higher"
    share: ClassVar[bool] = False  # whether figures are shares, written in percent
    varies: ClassVar[bool] = False  # whether figures depend on the machine, such as times

    @property
    def dear(self) -> bool:
        """Whether it takes the fewer images of a scale."""
        return False

    @abstractmethod
    def figures(self, looked: Looked) -> Figures:
        """What there is to say of the network."""
