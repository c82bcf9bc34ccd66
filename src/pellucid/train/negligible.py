"""Terms that add so little to the loss that nothing is learned from them."""

import warnings
from collections.abc import Collection, Mapping

from pellucid.objectives import Objective, Ramp
from pellucid.train.tally import Figures

LEAST = 1e-4
"""The share of the loss over the first epoch below which a term is called negligible."""


def negligible(objective: Objective, figures: Figures) -> dict[str, float]:
    """The share of the loss that each term added whose share was below `LEAST`.

    A term whose weight is 0 only measures, and one whose weight ramps up from 0 has its time still to come.
    """
    return {
        name: figures.shares[name]
        for name, part in zip(objective.names, objective.terms, strict=True)
        if name in figures.shares and figures.shares[name] < LEAST and not _on_purpose(part.weight)
    }


def warn(shares: Mapping[str, float], told: Collection[str]) -> None:
    """One warning for each negligible term, except for those of which more has been told already."""
    for name, share in shares.items():
        if name not in told:
            warnings.warn(_sentence(name, share), stacklevel=3)


def _on_purpose(weight: object) -> bool:
    return weight == 0 or (isinstance(weight, Ramp) and weight.start == 0)


def _sentence(name: str, share: float) -> str:
    if share == 0:
        return (
            f"the term {name} was 0 over the whole first epoch, whatever its weight; change its settings or drop it"
        )
    return f"the term {name} added {share:.1e} of the loss over the first epoch; raise its weight or drop it"
