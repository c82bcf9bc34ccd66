"""How alike classes are."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.errors import ConfigError, ShapeError, count_of


class ClassSimilarity(ABC):
    """How alike each two classes are, from 0 to 1. Final classes are frozen dataclasses in `CLASS_SIMILARITIES`."""

    registry: ClassVar[str] = "pellucid.metrics.neurons:CLASS_SIMILARITIES"

    @abstractmethod
    def matrix(self, classes: Sequence[str]) -> Float[Tensor, "k k"]:
        """The similarity of each two classes in double precision, symmetric and with ones on the diagonal."""

    def among(self, classes: Sequence[str], some: Int[Tensor, " k"]) -> Float[Tensor, "k k"]:
        """The same for some of the classes, by their numbers."""
        return self.matrix(classes)[some][:, some]


@dataclass(frozen=True)
class Identity(ClassSimilarity):
    """A class is like itself and like no other."""

    def matrix(self, classes: Sequence[str]) -> Float[Tensor, "k k"]:
        """The similarity of each two classes: one of a class with itself, none of others."""
        return torch.eye(len(classes), dtype=torch.float64)

    def among(self, classes: Sequence[str], some: Int[Tensor, " k"]) -> Float[Tensor, "k k"]:
        """The same for some of the classes, so that of very many there is no table."""
        return torch.eye(len(some), dtype=torch.float64)


@dataclass(frozen=True)
class Matrix(ClassSimilarity):
    """Similarities that are given, a row for each class."""

    rows: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        table = table_of(self.rows, "a matrix of class similarities")
        if not bool(((table >= 0) & (table <= 1)).all()):
            raise ConfigError(
                f"a matrix of class similarities has entries from {float(table.min()):g} to {float(table.max()):g}; "
                "they lie in [0, 1]"
            )
        if not bool((table.diagonal() == 1).all()):
            raise ConfigError("a matrix of class similarities has other numbers than 1 on its diagonal")

    def matrix(self, classes: Sequence[str]) -> Float[Tensor, "k k"]:
        """The rows as they are."""
        return sized(table_of(self.rows, "a matrix of class similarities"), classes, "a matrix of class similarities")


def table_of(rows: Sequence[Sequence[float]], owner: str) -> Float[Tensor, "k k"]:
    """Rows as a tensor, which is square and symmetric."""
    if not rows or any(len(row) != len(rows) for row in rows):
        lengths = sorted({len(row) for row in rows})
        raise ConfigError(f"{owner} has {len(rows)} rows of lengths {lengths}; give as many columns as rows")
    table = torch.tensor(rows, dtype=torch.float64)
    if not torch.equal(table, table.T):  # NaN fails too
        raise ConfigError(f"{owner} is not symmetric; two classes are as alike one way as the other")
    return table


def sized(table: Float[Tensor, "k k"], classes: Sequence[str], owner: str) -> Float[Tensor, "k k"]:
    """The table, where it is of as many classes as there are."""
    if len(table) != len(classes):
        raise ShapeError(f"{owner} is of {count_of(len(table), 'class')}, and there are {len(classes)}")
    return table
