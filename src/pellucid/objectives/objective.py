"""The algebra of losses: terms add up to an objective, weights multiply them.

CrossEntropy() + 0.1 * GradientNorm(of="label-logit") + Ramp(1.0) * JacobianNorm()
CrossEntropy() + CrossEntropy().at(PGD(goal=HighestLoss()))
"""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Union

from jaxtyping import Float
from torch import Tensor, nn

from pellucid import config
from pellucid.attacks import Attack
from pellucid.errors import ConfigError, UnknownName
from pellucid.objectives.adaptive import Adaptive, multiplied
from pellucid.objectives.attacked import Attacked
from pellucid.objectives.ramp import Ramp
from pellucid.probe import Probe

Weight = float | Ramp | Adaptive


class Term(ABC):
    """One summand of a loss. Final classes are frozen dataclasses listed in `TERMS`."""

    registry: ClassVar[str] = "pellucid.objectives:TERMS"

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers whose output this term reads from the probe."""
        return ()

    @property
    def second_order(self) -> bool:
        """Whether the term differentiates a gradient; the logits alone are cheaper to have without."""
        return True

    @property
    def third_order(self) -> bool:
        """Whether the term differentiates the probe's curvature."""
        return False

    @property
    def needs_curvature(self) -> bool:
        """Whether the term has no hold on a network whose logits have no second derivatives for the pixels."""
        return False

    @property
    def vague(self) -> bool:
        """Whether the term says only in general what `on` finds in a network, such as its last layer."""
        return False

    def on(self, network: nn.Module, x: Float[Tensor, "b *shape"]) -> "Term":
        """The term with what it needs to know of a network filled in; `x` are images to find it with."""
        return self

    @abstractmethod
    def __call__(self, probe: Probe) -> Float[Tensor, ""]:
        """The value of the term at the probe, over the global batch."""

    def at(self, place: Attack | Attacked) -> "Objective":
        """The term looking at attacked images instead of the clean ones."""
        return Objective.of(self).at(place)

    def __add__(self, other: Union["Term", "Objective"]) -> "Objective":
        return Objective.of(self) + other

    def __mul__(self, weight: int | Weight) -> "Objective":
        return Objective.of(self) * weight

    __rmul__ = __mul__


@dataclass(frozen=True)
class Weighted:
    """A term, what it is multiplied by, and the attacked images that it looks at instead of the clean ones."""

    weight: Weight
    term: Term
    place: Attacked | None = None

    def __post_init__(self) -> None:
        if isinstance(self.weight, int | float) and not math.isfinite(self.weight):
            raise ConfigError(f"the weight of {kind_of(self.term)} is {self.weight}; give a finite number")

    def probe(self, clean: Probe) -> Probe:
        """The probe that the term looks through."""
        return clean if self.place is None else self.place.probe(clean)


@dataclass(frozen=True)
class Losses:
    """What an objective came to: the sum, each term's value before its weight, and the weights in force.

    `logits` are those that the first term looked at.
    """

    total: Float[Tensor, ""]
    values: Mapping[str, Float[Tensor, ""]]
    weights: Mapping[str, float | Float[Tensor, ""]]
    logits: Float[Tensor, "b classes"]


@dataclass(frozen=True)
class Objective:
    """A flat sum of weighted terms."""

    terms: tuple[Weighted, ...]

    @classmethod
    def of(cls, part: Union[Term, "Objective"]) -> "Objective":
        """A term, or an objective, as an objective."""
        return part if isinstance(part, Objective) else cls((Weighted(1.0, part),))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """A name for each term: its kind, numbered from the second of a kind on."""
        names: list[str] = []
        for weighted in self.terms:
            kind = kind_of(weighted.term)
            earlier = sum(1 for name in names if name == kind or name.startswith(f"{kind}-"))
            names.append(f"{kind}-{earlier + 1}" if earlier else kind)
        return tuple(names)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that any of the terms read."""
        return tuple(dict.fromkeys(layer for weighted in self.terms for layer in weighted.term.layers))

    @property
    def second_order(self) -> bool:
        """Whether any term differentiates a gradient."""
        return any(weighted.term.second_order for weighted in self.terms)

    @property
    def third_order(self) -> bool:
        """Whether any term differentiates a curvature."""
        return any(weighted.term.third_order for weighted in self.terms)

    @property
    def adaptive(self) -> tuple[Adaptive, ...]:
        """The weights that learn, whose state belongs in a checkpoint."""
        return tuple(weighted.weight for weighted in self.terms if isinstance(weighted.weight, Adaptive))

    @property
    def vague(self) -> bool:
        """Whether any term has something to be filled in from a network."""
        return any(weighted.term.vague for weighted in self.terms)

    def on(self, network: nn.Module, x: Float[Tensor, "b *shape"]) -> "Objective":
        """The objective with all that its terms need to know of a network filled in."""
        return Objective(tuple(replace(part, term=part.term.on(network, x)) for part in self.terms))

    def at(self, place: Attack | Attacked) -> "Objective":
        """The same objective with all terms looking at attacked images instead of the clean ones."""
        attacked = Attacked(place) if isinstance(place, Attack) else place
        if any(part.place is not None for part in self.terms):
            raise ConfigError("a term that looks at attacked images cannot be moved on to others")
        return Objective(tuple(replace(part, place=attacked) for part in self.terms))

    def losses(self, probe: Probe) -> Losses:
        """Every term at the probe; adaptive weights take their step."""
        values = {
            name: weighted.term(weighted.probe(probe)) for name, weighted in zip(self.names, self.terms, strict=True)
        }
        weights = {
            name: _now(weighted.weight, probe.progress, values)
            for name, weighted in zip(self.names, self.terms, strict=True)
        }
        # begun from the first term, so that a lone one costs no addition
        products = [value if weights[name] == 1.0 else weights[name] * value for name, value in values.items()]
        total = products[0]
        for product in products[1:]:
            total = total + product
        return Losses(total, values, weights, self.terms[0].probe(probe).logits)

    def __call__(self, probe: Probe) -> Float[Tensor, ""]:
        """The weighted sum at the probe."""
        return self.losses(probe).total

    def __add__(self, other: Union[Term, "Objective"]) -> "Objective":
        return Objective(self.terms + Objective.of(other).terms)

    def __mul__(self, weight: int | Weight) -> "Objective":
        return Objective(tuple(replace(part, weight=multiplied(part.weight, weight)) for part in self.terms))

    __rmul__ = __mul__

    def to_config(self) -> config.Table:
        """A table per term, named by it."""
        tables: config.Table = {}
        for name, weighted in zip(self.names, self.terms, strict=True):
            settings = config.dump(weighted.term)
            if settings["kind"] == name:
                del settings["kind"]
            place = {} if weighted.place is None else {"at": config.dump(weighted.place)}
            tables[name] = {"weight": config.dump(weighted.weight), **settings, **place}
        return tables

    @classmethod
    def from_config(cls, table: config.Table, path: str) -> "Objective":
        """The sum of a table per term."""
        parts: list[Weighted] = []
        for name, entry in table.items():
            place = f"{path}.{name}" if path else name
            if not isinstance(entry, dict):
                raise ConfigError(f"{place} is {entry!r}; expected a table of settings such as weight = 1.0")
            terms = config.kinds(Term)
            if "kind" not in entry and name not in terms:
                raise config.NoSetting(place, entry or {"weight": 1.0}, [f"{path}.{term}.weight" for term in terms])
            settings: dict[str, Any] = {"kind": name, "weight": 1.0, **entry}
            weight = config.part(Weight, settings.pop("weight"), f"{place}.weight")
            at = settings.pop("at", None)
            attacked = None if at is None else config.part(Attacked, at, f"{place}.at")
            parts.append(Weighted(weight, config.part(Term, settings, place), attacked))
        if not parts:
            raise ConfigError(f"{path or 'the objective'} has no terms; an objective needs at least one")
        return cls(tuple(parts))


def kind_of(term: Term) -> str:
    """The name that a term's class is registered under; one that is used from Python alone needs no registry."""
    try:
        return config.kind_of(type(term))
    except UnknownName:
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", type(term).__name__).lower()


def _now(weight: Weight, progress: float, values: Mapping[str, Tensor]) -> float | Tensor:
    match weight:
        case Ramp():
            return weight.at(progress)
        case Adaptive():
            if weight.watch not in values:
                raise ConfigError(
                    f"an adaptive weight watches '{weight.watch}', which is no term of this objective "
                    f"(there are: {', '.join(values)})"
                )
            return weight.step(values[weight.watch].detach())
        case _:
            return float(weight)
