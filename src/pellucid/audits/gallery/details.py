"""Images with all that was made of them, as it is saved; pictures are names of files."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class OfMap:
    """A map: what the strongest color stands for, and what has to be known of it."""

    picture: str
    scale: float | None = None
    signed: bool = True
    about: tuple[str, ...] = ()
    legend: str = ""


@dataclass(frozen=True)
class OfStep:
    """An image on its way to a class, with how sure of it the network is there, and whether it is the likeliest."""

    rho: float
    picture: str
    probability: float | None = None
    reached: bool = True


@dataclass(frozen=True)
class OfAttacked:
    """An image after an attack."""

    picture: str
    predicted: str
    confidence: float | None = None
    distance: float | None = None
    maps: Mapping[str, OfMap] = field(default_factory=dict[str, OfMap])


@dataclass(frozen=True)
class OfImage:
    """An image, what it is taken for, and why it is shown. There is no label and no right where nobody knows."""

    index: int
    picture: str
    predicted: str
    label: str | None = None
    right: bool | None = None
    confidence: float | None = None
    why: str = ""
    maps: Mapping[str, OfMap] = field(default_factory=dict[str, OfMap])
    toward: Mapping[str, tuple[OfStep, ...]] = field(default_factory=dict[str, tuple[OfStep, ...]])
    attacked: OfAttacked | None = None


@dataclass(frozen=True)
class Details:
    """The images, and why maps by some explainers are missing."""

    images: tuple[OfImage, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict[str, str])
