"""What a paper claims, as a comparison that figures decide, and what they come to."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pellucid.errors import ConfigError
from pellucid.metrics.estimates import Estimate

_FEWEST = 3  # seeds; two differences on few images are alike by chance too often

Outcome = Literal["holds", "does not hold", "cannot be told"]


@dataclass(frozen=True)
class Place:
    """A figure of a row: `column`, or `column/name` where a column has several."""

    row: str
    figure: str

    def __str__(self) -> str:
        return f"{self.figure} of {self.row}"


@dataclass(frozen=True)
class Claim:
    """That the figures `first` are more, or less, than the figures `second`, by more than `margin`.

    Several places stand for their mean. Without `second` they are compared with the number `than`. A negative margin
    claims that nothing is lost beyond it. `says` is the claim in a sentence and `source` where it is made; `holds`
    and `fails` are what the page adds to each of these outcomes.
    """

    says: str
    first: tuple[Place, ...]
    second: tuple[Place, ...] = ()
    than: float = 0.0
    direction: Literal["more", "less"] = "more"
    margin: float = 0.0
    source: str = ""
    holds: str = ""
    fails: str = ""

    def __post_init__(self) -> None:
        if not self.says or not self.first:
            raise ConfigError("a claim must say a sentence, and name a place or more as first")
        if not (math.isfinite(self.than) and math.isfinite(self.margin)):
            raise ConfigError(f"a claim compares with {self.than} by {self.margin}; give finite numbers")


@dataclass(frozen=True)
class Pair:
    """Both sides of a claim for one seed."""

    seed: int
    first: float
    second: float


@dataclass(frozen=True)
class Told:
    """What figures say of a claim: the outcome, the difference that it rests on, and why it cannot be told.

    The difference is signed so that more of it speaks for the claim. `p` is how often signs turned by chance give as
    large a difference.
    """

    claim: Claim
    outcome: Outcome
    pairs: tuple[Pair, ...]
    difference: Estimate | None = None
    p: float | None = None
    why: str = ""

    @property
    def n(self) -> int:
        """How many seeds it rests on."""
        return len(self.pairs)

    @property
    def comment(self) -> str:
        """What is to be said of the outcome."""
        return {"holds": self.claim.holds, "does not hold": self.claim.fails}.get(self.outcome, self.why)


Values = Mapping[int, Mapping[Place, float]]
"""The figures of each seed that there are."""


def told(claim: Claim, values: Values) -> Told:
    """What the figures say of a claim, by pairs of one seed each.

    It holds where Student's 95 % interval of the mean difference lies beyond the margin, does not where it lies
    short of it, and cannot be told where the margin is inside, or of fewer than three seeds. Differences that are all
    the same tell nothing of how they vary, as happens with few images.
    """
    # late, since a page with saved outcomes is drawn without torch
    import torch

    from pellucid.metrics import paired

    sign = 1 if claim.direction == "more" else -1
    pairs = tuple(_pairs(claim, values))
    if not pairs:
        return Told(claim, "cannot be told", (), why="no seed has both figures")
    first, second = (torch.tensor([getattr(pair, side) for pair in pairs]).double() for side in ("first", "second"))
    found = paired(sign * first, sign * second)
    difference = found.difference
    if len(pairs) < _FEWEST:
        why = f"{len(pairs)} of the {_FEWEST} seeds that it takes at least to see how seeds differ"
        return Told(claim, "cannot be told", pairs, difference, found.p, why)
    if difference.low == difference.high:
        why = f"all {len(pairs)} differences are {difference.value:.4g}, which tells nothing of how seeds differ"
        return Told(claim, "cannot be told", pairs, difference, found.p, why)
    if difference.low > claim.margin:
        return Told(claim, "holds", pairs, difference, found.p)
    if difference.high <= claim.margin:
        return Told(claim, "does not hold", pairs, difference, found.p)
    why = f"with {len(pairs)} seeds the interval of the difference reaches both sides of {claim.margin:g}"
    return Told(claim, "cannot be told", pairs, difference, found.p, why)


def _pairs(claim: Claim, values: Values) -> Sequence[Pair]:
    found: list[Pair] = []
    for seed in sorted(values):
        own = values[seed]
        if all(place in own for place in (*claim.first, *claim.second)):
            second = _mean([own[place] for place in claim.second]) if claim.second else claim.than
            found.append(Pair(seed, _mean([own[place] for place in claim.first]), second))
    return found


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
