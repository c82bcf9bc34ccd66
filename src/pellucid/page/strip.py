"""Strips: a few values on a line with their interval, as a small picture inside the text."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from markupsafe import Markup

from pellucid.metrics.estimates import Estimate
from pellucid.printable import printable

_WIDTH, _HEIGHT, _PAD = 240, 22, 6


@dataclass(frozen=True)
class Strip:
    """Values between `low` and `high`, their mean with its interval, and a mark to compare them with.

    An interval that leaves the strip is drawn to its end. `says` is the strip in words.
    """

    values: tuple[float, ...]
    low: float
    high: float
    says: str
    estimate: Estimate | None = None
    mark: float | None = None

    def drawn(self) -> Markup:
        """An `<svg>` element, in the colors of the page."""
        middle = _HEIGHT / 2
        parts = [f'<line class="axis" x1="{_PAD}" x2="{_WIDTH - _PAD}" y1="{middle}" y2="{middle}"/>']
        if self.mark is not None:
            x = self._at(self.mark)
            parts.append(f'<line class="mark" x1="{x}" x2="{x}" y1="1" y2="{_HEIGHT - 1}"/>')
        if self.estimate is not None and self.estimate.n > 1:
            low, high = self._at(self.estimate.low), self._at(self.estimate.high)
            parts.append(f'<line class="interval" x1="{low}" x2="{high}" y1="{middle}" y2="{middle}"/>')
        parts += [f'<circle class="value" cx="{self._at(value)}" cy="{middle}" r="2.6"/>' for value in self.values]
        if self.estimate is not None:
            x = self._at(self.estimate.value)
            parts.append(f'<line class="mean" x1="{x}" x2="{x}" y1="{middle - 7}" y2="{middle + 7}"/>')
        said = escape(printable(self.says), {'"': "&quot;"})
        box = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
        return Markup(f'<svg class="strip" {box} role="img" aria-label="{said}">{"".join(parts)}</svg>')

    def _at(self, value: float) -> float:
        span = self.high - self.low or 1.0
        inside = min(self.high, max(self.low, value))
        return round(_PAD + (inside - self.low) / span * (_WIDTH - 2 * _PAD), 2)


def span(values: Sequence[float], *, around: float | None = None) -> tuple[float, float]:
    """Where a strip begins and ends that shows all of these, with some room; finite, and never empty.

    >>> span([0.2, 0.6])
    (0.16, 0.64)
    """
    there = [value for value in (*values, *(() if around is None else (around,))) if math.isfinite(value)]
    low, high = (min(there), max(there)) if there else (0.0, 1.0)
    room = (high - low) / 10 or abs(high) / 10 or 0.1
    return round(low - room, 12), round(high + room, 12)
