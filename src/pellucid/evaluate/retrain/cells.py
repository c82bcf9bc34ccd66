"""The design of a study: which networks are trained, and on what each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pellucid.errors import ConfigError, UnknownName, suggestion
from pellucid.evaluate.retrain.ranks import Unit

Protocol = Literal["roar", "kar"]
"""Remove the most important places and retrain, or keep them and replace all others."""

PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
FRACTIONS = (0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True)
class Cell:
    """One network to train: the share `fraction` of places that come first is removed, or kept alone."""

    protocol: Protocol
    ranking: str
    fraction: float
    seed: int

    def __str__(self) -> str:
        return f"{self.protocol} of {self.fraction:g} by {self.ranking}, seed {self.seed}"

    def count(self, places: int) -> int:
        """How many of so many places that is."""
        return round(self.fraction * places)


@dataclass(frozen=True)
class Design:
    """Which networks are retrained: every combination of protocol, ranking and fraction, with so many seeds each.

    A fraction is a share of all places, and `unit` what a place is. `seed` is that of the rankings.
    """

    protocols: tuple[Protocol, ...] = PROTOCOLS
    fractions: tuple[float, ...] = FRACTIONS
    seeds: int = 5
    unit: Unit = "pixel"
    seed: int = 0

    def __post_init__(self) -> None:
        _check_named("protocol", self.protocols)
        _check_named("fraction", self.fractions)
        for fraction in self.fractions:
            if not 0 <= fraction <= 1:
                raise ConfigError(f"a fraction is {fraction:g}; it is a share of all places, in [0, 1]")
        if self.seeds < 1:
            raise ConfigError(f"seeds is {self.seeds}; train with 1 or more")

    def cells(self, rankings: Iterable[str]) -> list[Cell]:
        """The networks by these rankings; those of one ranking stand together."""
        names = list(rankings)
        _check_named("ranking", names)
        return [
            Cell(protocol, ranking, float(fraction), seed)
            for ranking in names
            for protocol in self.protocols
            for fraction in self.fractions
            for seed in range(self.seeds)
        ]


def _check_named(kind: str, values: Sequence[object]) -> None:
    if not values:
        raise ConfigError(f"no {kind} is named; give one or more")
    if len(set(values)) < len(values):
        raise ConfigError(f"a {kind} is named twice in {', '.join(map(str, values))}; name each once")


def protocols_named(names: Sequence[str]) -> tuple[Protocol, ...]:
    """The protocols that words stand for."""
    for name in names:
        if name not in PROTOCOLS:
            raise UnknownName(f"no protocol is called '{name}'{suggestion(name, PROTOCOLS)}")
    return tuple(protocol for name in names for protocol in PROTOCOLS if protocol == name)
