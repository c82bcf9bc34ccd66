"""What the charts show: accuracy against distance, and how often a network is right when it is so sure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pellucid.reports.page.read import Audit, Network

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
    """A network's curve."""

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


_BOUNDED = "share of images that stay right"
_DISTANCES = {
    "linf": ("Every pixel may change by so much", "distance in 255ths (L\N{INFINITY})", _BOUNDED, "points", 1 / 255),
    "l2": ("The image may move so far", "distance (L2)", _BOUNDED, "points", 1.0),
    "attack": (
        "How far the nearest mistake lies",
        "distance of the nearest failure found (RMS)",
        "share of images that stand beyond it",
        "steps",
        1.0,
    ),
    "below_chance": (
        "How far until worse than chance",
        "distance of the nearest failure found (RMS)",
        "share of images that stand beyond it",
        "steps",
        1.0,
    ),
}


def charts(audit: Audit) -> Iterator[Chart]:
    """Every chart that has a curve."""
    for number, part in enumerate(audit.parts):
        if audit.kind(part) == "robust":
            yield from _distances(audit, part, f"chart-{number}")
        if audit.kind(part) == "decided":
            yield from _reliability(audit, part, f"chart-{number}")


def _distances(audit: Audit, part: str, id: str) -> Iterator[Chart]:
    found = [network.details(part).get("curves") or {} for network in audit.networks]
    for place, name in enumerate(dict.fromkeys(name for own in found for name in own)):
        curves = tuple(
            Curve(network, tuple(Point(float(x), float(y)) for x, y in own[name]))
            for network, own in zip(audit.networks, found, strict=True)
            if own.get(name)
        )
        known = _DISTANCES.get(name, (f"Under {name}", "distance", _BOUNDED, "points", 1.0))
        title, across, up, shape, unit = known
        if unit != 1.0 and not all(_in_halves(point.x / unit) for curve in curves for point in curve.points):
            across, unit = "distance (L\N{INFINITY})", 1.0  # budgets that nobody meant in 255ths
        if curves:
            yield Chart(f"{id}-{place}", title, across, up, curves, "steps" if shape == "steps" else "points", unit)


def _in_halves(number: float) -> bool:
    return abs(2 * number - round(2 * number)) < 1e-3


def _reliability(audit: Audit, part: str, id: str) -> Iterator[Chart]:
    curves = tuple(
        Curve(network, tuple(_bin(entry) for entry in entries))
        for network in audit.networks
        if (entries := network.details(part).get("reliability"))
    )
    if curves:
        title = "Whether it is right as often as it is sure"
        yield Chart(f"{id}-sure", title, "confidence", "share of images that are right", curves, diagonal=True)


def _bin(entry: Mapping[str, Any]) -> Point:
    return Point(entry["confidence"], entry["value"], entry["low"], entry["high"])
