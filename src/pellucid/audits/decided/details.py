"""What a network decides, as it is saved."""

from dataclasses import dataclass

from pellucid.errors import MeasurementError
from pellucid.metrics.estimates import Estimate


@dataclass(frozen=True)
class OfClass:
    """A class, and how often the network is right about it; or why that is not known."""

    name: str
    accuracy: Estimate | None
    note: str = ""


@dataclass(frozen=True)
class Confused:
    """A class that so many images of another are taken for."""

    name: str
    taken_for: str
    images: int


@dataclass(frozen=True)
class Bin:
    """The share of images that a network is right about where it is about so sure, with its interval."""

    confidence: float
    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Details:
    """Accuracy by class; the most frequent mistakes; all of them, where classes are few; right against sure."""

    classes: tuple[OfClass, ...] = ()
    mistakes: tuple[Confused, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    reliability: tuple[Bin, ...] = ()

    def __post_init__(self) -> None:
        classes = len(self.classes)
        if self.confusion and (len(self.confusion) != classes or any(len(row) != classes for row in self.confusion)):
            raise MeasurementError(f"confusion has other rows and columns than the {classes} classes")
        if any(images < 0 for row in self.confusion for images in row):
            raise MeasurementError("confusion counts less than no image")
