"""How far accuracy holds: curves against distance, and the figure that stands for all under attack."""

from collections.abc import Iterator
from typing import final

from pellucid.audits.finding import Finding
from pellucid.audits.robust.details import Details
from pellucid.audits.section import Found, Headline, Section
from pellucid.page.chart import Chart, Curve, Point
from pellucid.page.figure import Figure
from pellucid.page.numbers import percent

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


@final
class Curves(Section[Details]):
    """The curves, and robust accuracy at the widest budget of L-inf."""

    details = Details
    answers = ("robustness",)

    def charts(self, found: Found[Details]) -> Iterator[Chart]:
        """A chart of each curve that any network has."""
        names = dict.fromkeys(name for _, details in found.details for name in details.curves)
        for place, name in enumerate(names):
            curves = tuple(
                Curve(network, tuple(Point(x, y) for x, y in details.curves[name]))
                for network, details in found.details
                if details.curves.get(name)
            )
            known = _DISTANCES.get(name, (f"Under {name}", "distance", _BOUNDED, "points", 1.0))
            title, across, up, shape, unit = known
            if unit != 1.0 and not all(_in_halves(point.x / unit) for curve in curves for point in curve.points):
                across, unit = "distance (L\N{INFINITY})", 1.0  # budgets that nobody meant in 255ths
            if curves:
                id = f"chart-{found.number}-{place}"
                yield Chart(id, title, across, up, curves, "steps" if shape == "steps" else "points", unit)

    def headlines(self, finding: Finding) -> Iterator[Headline]:
        """Robust accuracy that stands for all, and the area until an image is wrong."""
        widest = [figure for figure in finding.figures if is_headline(figure)]
        if widest:
            yield Headline("robustness", under_attack("an attack", widest[-1]), widest[-1])  # budgets ascend
        for figure in finding.figures:
            if figure.name == "area" and figure.arguments == ("attack",):
                yield Headline("area", figure=figure)


def is_headline(figure: Figure) -> bool:
    """Whether a figure may stand for all robustness."""
    return figure.name == "robust_accuracy" and figure.arguments[:1] == ("linf",) and figure.estimate is not None


def under_attack(attack: str, figure: Figure) -> str:
    """What is left of accuracy, as a clause."""
    assert figure.estimate is not None
    within = f" of up to {figure.arguments[1]}" if len(figure.arguments) > 1 else ""
    return f"of {figure.estimate.n:,} images, {percent(figure.estimate.value)} stay right under {attack}{within}"


def _in_halves(number: float) -> bool:
    return abs(2 * number - round(2 * number)) < 1e-3
