"""What networks came to that were retrained on changed images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import MeasurementError, UnknownName, suggestion
from pellucid.evaluate.retrain.cells import Protocol
from pellucid.ledger import Table
from pellucid.metrics import Estimate, Paired, over_repeats, paired


@final
@dataclass(frozen=True, eq=False)
class Retrained(Table):
    """A row for each network: its protocol, ranking, fraction and seed, and its accuracy on `n` test images.

    `protocol` and `ranking` count along the names in `about`.
    """

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """The names of the protocols, which the column of that name counts along."""
        return tuple(self.about["protocols"])

    @property
    def rankings(self) -> tuple[str, ...]:
        """The names of the rankings, which the column of that name counts along."""
        return tuple(self.about["rankings"])

    @property
    def fractions(self) -> tuple[float, ...]:
        """The shares that are removed, or kept."""
        return tuple(self.about["fractions"])

    def rows(self) -> list[dict[str, Any]]:
        """The rows of all networks, with names in them."""
        found: list[dict[str, Any]] = []
        for number in range(len(self)):
            row: dict[str, Any] = {name: column[number].item() for name, column in self.columns.items()}
            names = {"protocol": self.protocols[row["protocol"]], "ranking": self.rankings[row["ranking"]]}
            found.append(row | names)
        return found

    def curves(self, protocol: Protocol, ranking: str) -> Float[Tensor, "seeds fractions"]:
        """The accuracies of every seed along the fractions."""
        own = self.columns["protocol"] == _place(protocol, self.protocols, "protocol")
        own &= self.columns["ranking"] == _place(ranking, self.rankings, "ranking")
        seeds = self.columns["seed"][own].unique()
        shape = (len(self.fractions), len(seeds))
        return self.columns["accuracy"][own].view(shape).T

    def accuracy(self, protocol: Protocol, ranking: str, fraction: float) -> Estimate:
        """The mean over seeds, with Student's interval."""
        place = _place(fraction, self.fractions, "fraction")
        return over_repeats(self.curves(protocol, ranking)[:, place])

    def areas(self, protocol: Protocol, ranking: str) -> Float[Tensor, " seeds"]:
        """The mean height of each seed's curve, between the smallest and the largest fraction."""
        order = sorted(range(len(self.fractions)), key=lambda place: self.fractions[place])
        along = torch.tensor([self.fractions[place] for place in order], dtype=torch.float64)
        curves = self.curves(protocol, ranking)[:, order]
        if len(order) == 1:
            return curves[:, 0]
        return torch.trapezoid(curves, along) / (along[-1] - along[0])

    def area(self, protocol: Protocol, ranking: str) -> Estimate:
        """The mean height of the curve, over seeds: low is good by ROAR, high by KAR."""
        return over_repeats(self.areas(protocol, ranking))

    def compared(self, protocol: Protocol, first: str, second: str, fraction: float | None = None) -> Paired:
        """One ranking less another, seed by seed: the heights of their curves, or the accuracy at one fraction."""
        if first == second:
            raise MeasurementError(f"'{first}' is compared with itself; name two rankings")
        if fraction is None:
            return paired(self.areas(protocol, first), self.areas(protocol, second))
        place = _place(fraction, self.fractions, "fraction")
        one, other = (self.curves(protocol, name)[:, place] for name in (first, second))
        return paired(one, other)


def _place(name: Any, names: Sequence[Any], kind: str) -> int:
    if name not in names:
        raise UnknownName(f"nothing was retrained by {kind} '{name}'{suggestion(str(name), map(str, names))}")
    return names.index(name)
