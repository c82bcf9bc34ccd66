"""The grid: which networks are trained, and on what each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pellucid.errors import ConfigError, UnknownName, suggestion

Protocol = Literal["roar", "kar"]
"""Remove the most important places and retrain, or keep them and replace all others."""

PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)


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


def protocols_named(names: Sequence[str]) -> tuple[Protocol, ...]:
    """The protocols that words stand for."""
    for name in names:
        if name not in PROTOCOLS:
            raise UnknownName(f"no protocol is called '{name}'{suggestion(name, PROTOCOLS)}")
    return tuple(protocol for name in names for protocol in PROTOCOLS if protocol == name)


def grid(
    protocols: Sequence[Protocol], rankings: Sequence[str], fractions: Sequence[float], seeds: int
) -> list[Cell]:
    """Every combination; those of one ranking stand together."""
    for name, values in (("protocol", protocols), ("ranking", rankings), ("fraction", fractions)):
        if not values:
            raise ConfigError(f"no {name} is named; give one or more")
        if len(set(values)) < len(values):
            raise ConfigError(f"a {name} is named twice in {', '.join(map(str, values))}; name each once")
    for fraction in fractions:
        if not 0 <= fraction <= 1:
            raise ConfigError(f"a fraction is {fraction:g}; it is a share of all places, in [0, 1]")
    if seeds < 1:
        raise ConfigError(f"seeds is {seeds}; train with 1 or more")
    return [
        Cell(protocol, ranking, float(fraction), seed)
        for ranking in rankings
        for protocol in protocols
        for fraction in fractions
        for seed in range(seeds)
    ]
