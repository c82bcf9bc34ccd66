"""How the page writes numbers."""

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from pellucid.metrics.estimates import Estimate
from pellucid.page.figure import Figure

_SHARES = {"accuracy", "robust_accuracy"}  # written in percent
_UNBOUNDED = {"area", "loss"}  # of which 1 is no end
_DECIMALS = 6  # beyond which a number is better read with its power of ten
_PERCENT = "\N{NO-BREAK SPACE}%"
_MINUS = "\N{MINUS SIGN}"


def percent(value: float) -> str:
    """A share in percent; all and nothing only where it is all or nothing."""
    written = f"{100 * value:.1f}"
    if written == "100.0" and value < 1:
        return f"> 99.9{_PERCENT}"
    if written == "0.0" and value > 0:
        return f"< 0.1{_PERCENT}"
    return f"{100 * value:.0f}{_PERCENT}" if value in (0, 1) else f"{written}{_PERCENT}"


def plain(value: float, decimals: int = 3) -> str:
    """A number with three digits that say something; below 1 with so many decimals, where that is not too many."""
    size = abs(value)
    if size >= 999.5 or float(value).is_integer():
        written = f"{value:,.0f}"
    elif 10**-decimals <= size < 1 and decimals <= _DECIMALS:
        written = f"{value:.{decimals}f}"
    else:
        written = f"{value:{'#' if size >= 1 else ''}.3g}".rstrip(".")
    return written.replace("-", _MINUS)


@dataclass(frozen=True)
class Lack:
    """What stands where a number would: why there is none."""

    lack: str


ABSENT = Lack("not measured of this network")
"""Where other networks have a figure and one does not; what failed or was skipped is said elsewhere."""


@dataclass(frozen=True)
class Number:
    """A figure as it is written: value, interval, images behind it, and what a reader of it has to know.

    `value` is what tables are sorted by. `bar` is where value, low and high lie between 0 and
    100, where that says something.
    """

    text: str
    interval: str
    n: int
    value: float
    bar: tuple[float, float, float] | None = None
    note: str = ""
    lack: ClassVar[str] = ""

    @classmethod
    def of(cls, figure: Figure) -> "Number | Lack":
        """A figure's number, or why there is none."""
        if figure.estimate is None:
            return Lack(figure.note)
        found = cls.written(figure.estimate, share=figure.name in _SHARES)
        return replace(found, bar=None if figure.name in _UNBOUNDED else found.bar, note=figure.note)

    @classmethod
    def written(cls, estimate: Estimate, *, share: bool) -> "Number":
        """An estimate, in percent where it is a share."""
        write = percent if share else partial(plain, decimals=estimate.decimals)
        value, low, high = estimate.value, estimate.low, estimate.high
        inside = all(0 <= end <= 1 for end in (value, low, high))
        bar = (round(100 * value, 2), round(100 * low, 2), round(100 * high, 2)) if inside else None
        return cls(write(value), f"{write(low).removesuffix(_PERCENT)} to {write(high)}", estimate.n, value, bar)
