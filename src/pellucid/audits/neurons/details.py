"""What single neurons stand for, as it is saved."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pellucid.metrics.estimates import Estimate


@dataclass(frozen=True)
class OfNeuron:
    """A neuron: how consistent the images are that activate it most, the class that most are of, and their share."""

    neuron: int
    level: float
    name: str
    share: float
    picture: str


@dataclass(frozen=True)
class OfLayer:
    """The number of neurons in a layer, how many of them are dead, and those that are shown."""

    neurons: int
    table: tuple[OfNeuron, ...]
    dead: int = 0
    chance: float | None = None
    beyond: Estimate | None = None


@dataclass(frozen=True)
class Details:
    """Layers by name, and how their images were attacked."""

    layers: Mapping[str, OfLayer] = field(default_factory=dict[str, OfLayer])
    eps: float = 0.0
    targets: int = 0
