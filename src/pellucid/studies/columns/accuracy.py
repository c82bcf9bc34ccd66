"""Accuracy on clean images."""

from dataclasses import dataclass
from typing import final

from pellucid.runs import test_accuracy
from pellucid.studies.column import Column, Figures, Looked


@final
@dataclass(frozen=True)
class Accuracy(Column):
    """The share of all test images that the network gets right."""

    share = True

    def figures(self, looked: Looked) -> Figures:
        """What the run noted at its end."""
        return {"": test_accuracy(looked.run)}
