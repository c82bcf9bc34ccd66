"""Strips: what is drawn lies where the values say."""

import math
import re
import xml.etree.ElementTree as ET

import pytest

from pellucid.metrics import Estimate
from pellucid.page.strip import Strip, span


def places(strip: Strip, kind: str) -> list[float]:
    found = ET.fromstring(strip.drawn())
    return [float(one.get("cx") or one.get("x1") or "nan") for one in found if one.get("class") == kind]


def test_values_lie_in_their_order_and_in_proportion() -> None:
    at = places(Strip((0.0, 0.25, 1.0), 0.0, 1.0, "three"), "value")
    assert (at[1] - at[0]) / (at[2] - at[0]) == pytest.approx(0.25, abs=1e-3)


def test_an_interval_without_end_is_drawn_to_the_end_of_the_strip() -> None:
    strip = Strip((0.5,), 0.0, 1.0, "one", Estimate(0.5, -math.inf, math.inf, 2), mark=0.2)
    assert places(strip, "interval") == places(Strip((0.0,), 0.0, 1.0, "start"), "value")
    assert places(strip, "mark")[0] < places(strip, "mean")[0]


def test_one_seed_has_no_interval() -> None:
    assert not places(Strip((0.5,), 0.0, 1.0, "one", Estimate(0.5, -math.inf, math.inf, 1)), "interval")


def test_what_is_said_cannot_leave_its_attribute() -> None:
    drawn = str(Strip((0.5,), 0.0, 1.0, 'a "quoted" <name> & more').drawn())
    assert ET.fromstring(drawn).get("aria-label") == 'a "quoted" <name> & more'
    assert not re.search(r"<name>", drawn)


@pytest.mark.parametrize("values", [[], [0.3], [0.0, 0.0], [-5.0, 1e9], [math.inf, 0.1]])
def test_a_span_is_finite_holds_its_values_and_is_never_empty(values: list[float]) -> None:
    low, high = span(values)
    assert math.isfinite(low) and math.isfinite(high) and low < high
    assert all(low <= value <= high for value in values if math.isfinite(value))
