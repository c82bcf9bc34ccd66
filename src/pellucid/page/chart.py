"""Charts: curves of every network in one, as values that `svg` draws."""

from dataclasses import dataclass
from typing import Literal

from pellucid.page.network import Network

Shape = Literal["points", "steps"]


@dataclass(frozen=True)
class Point:
    """A point of a curve, with its interval where it has one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Curve:
    """One network's curve in a chart."""

    network: Network
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Chart:
    """The curves of all networks in one; `unit` is what distances are counted in."""

    id: str
    title: str
    across: str
    up: str
    curves: tuple[Curve, ...]
    shape: Shape = "points"
    unit: float = 1.0
    diagonal: bool = False

    @property
    def says(self) -> str:
        """The chart in words, for those who do not see it."""
        ends = [
            f"{curve.network.letter} goes from {curve.points[0].y:.0%} at {curve.points[0].x / self.unit:.3g} "
            f"to {curve.points[-1].y:.0%} at {curve.points[-1].x / self.unit:.3g}"
            for curve in self.curves
        ]
        return f"{self.up} against {self.across}: {'; '.join(ends)}."
