"""Charts as SVG that goes into the page: text is text, colors are those of the page, ids are the chart's own."""

import io
import re
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from pellucid.page.chart import Chart, Curve
from pellucid.printable import printable

COLORS = 6  # that the style sheet has for networks; the seventh looks like the first, but is dashed

_INK, _FAINT = "#010203", "#010204"
_DASHES = ("solid", (0, (5, 2)), (0, (1.5, 1.5)), (0, (5, 2, 1.5, 2)))
_LETTER = 0.08  # of a chart's height that a letter takes
_FONT = re.compile(r"font-family: [^;\"]*;? ?")
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "pellucid",
    "text.parse_math": False,
    "font.size": 9.5,
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _INK,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.linewidth": 0.8,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}


def drawn(chart: Chart) -> str:
    """A chart as an `<svg>` element."""
    # late, since it takes half a second that most commands have no use for
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, MaxNLocator, PercentFormatter

    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(4.3, 2.9), layout="constrained")
        FigureCanvasSVG(figure)
        axes: Any = figure.add_subplot()
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.grid(axis="y", color=_FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1.0])
        places = sorted({round(point.x / chart.unit, 6) for curve in chart.curves for point in curve.points})
        few = chart.shape == "points" and not chart.diagonal and len(places) <= 5
        axes.xaxis.set_major_locator(FixedLocator([0, *places]) if few else MaxNLocator(6))
        axes.set_xlabel(chart.across)
        if chart.diagonal:
            axes.plot([0, 1], [0, 1], color=_INK, linewidth=0.7, linestyle=(0, (2, 3)))
            axes.set_xlim(0, 1.04)
        for curve in chart.curves:
            _plot(axes, chart, curve)
        if not chart.diagonal:
            axes.set_xlim(left=0)
        axes.set_ylim(-0.02, 1.04)
        if len(chart.curves) > 1:
            _letters(axes, chart)
        buffer = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    return _inlined(buffer.getvalue(), chart)


def _plot(axes: Any, chart: Chart, curve: Curve) -> None:
    number = curve.network.number
    style: dict[str, Any] = {
        "color": _series(number),
        "linewidth": 1.8,
        "linestyle": _DASHES[number // COLORS % len(_DASHES) if number >= COLORS else number % 2],
    }
    x = [point.x / chart.unit for point in curve.points]
    y = [point.y for point in curve.points]
    if chart.shape == "steps":
        axes.step(x, y, where="post", **style)
        return
    axes.plot(x, y, marker="os^Dv"[number % 5], markersize=4, **style)
    if all(point.low is not None and point.high is not None for point in curve.points):
        low = [point.low for point in curve.points]
        high = [point.high for point in curve.points]
        axes.vlines(x, low, high, color=_series(number), linewidth=0.8, alpha=0.7)


def _letters(axes: Any, chart: Chart) -> None:
    """The letter of each network at the end of its curve, apart from the others."""
    right = max(point.x for curve in chart.curves for point in curve.points) / chart.unit
    curves = sorted(chart.curves, key=lambda curve: curve.points[-1].y)
    for curve, height in zip(curves, _apart([curve.points[-1].y for curve in curves]), strict=True):
        axes.annotate(
            curve.network.letter,
            (max(right, axes.get_xlim()[1]), height),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=_series(curve.network.number),
            fontweight="bold",
            annotation_clip=False,
        )


def _apart(heights: Sequence[float]) -> list[float]:
    """Ascending heights, moved so that letters at them do not touch, and down again where they leave the chart.

    >>> [round(height, 2) for height in _apart([0.0, 0.02, 1.0, 1.0])]
    [0.0, 0.08, 0.94, 1.02]
    """
    found: list[float] = []
    for height in heights:
        found.append(max(height, found[-1] + _LETTER) if found else height)
    top = 1.02
    for place in reversed(range(len(found))):
        found[place] = min(found[place], top)
        top = found[place] - _LETTER
    return found


def _series(number: int) -> str:
    return f"#0102{16 + number % COLORS:02x}"


def _inlined(text: str, chart: Chart) -> str:
    body = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
    body = re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL)  # it would hold for the whole page
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="([^"]+)"', rf'id="{chart.id}-\1"', body)
    body = re.sub(r'(href=")#|(url\()#', lambda found: f"{found[1] or found[2]}#{chart.id}-", body)
    body = body.replace("xlink:href", "href")
    body = _FONT.sub("", body)
    body = body.replace(_INK, "currentColor").replace(_FAINT, "var(--rule)")
    body = re.sub(r"#0102(1[0-5])", lambda found: f"var(--series-{int(found[1], 16) - 16})", body)
    box = re.search(r'viewBox="([^"]+)"', text)
    assert box is not None
    return (
        f'<svg viewBox="{box[1]}" role="img" aria-labelledby="{chart.id}-title {chart.id}-says">'
        f'<title id="{chart.id}-title">{escape(printable(chart.title))}</title>'
        f'<desc id="{chart.id}-says">{escape(printable(chart.says))}</desc>{body}</svg>'
    )
