"""How much longer an audit takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.audits import Pace, Planned
from pellucid.durations import time_in_words

seconds = st.floats(0.01, 1e4)


@given(st.lists(seconds, min_size=1, max_size=6), st.floats(0.1, 10))
def test_it_comes_to_nothing_in_the_end(expected: list[float], slower: float) -> None:
    pace = Pace([Planned(0, str(part), long) for part, long in enumerate(expected)])
    assert pace.left() == pytest.approx(sum(expected))
    for part, long in enumerate(expected):
        pace.done(0, str(part), long * slower)
        rest = sum(expected[part + 1 :])
        assert min(1.0, slower) * rest - 1e-6 <= pace.left() <= max(1.0, slower) * rest + 1e-6
    assert pace.left() == 0.0


def test_what_was_measured_corrects_the_plan() -> None:
    pace = Pace([Planned(0, "a", 45.0), Planned(0, "b", 45.0), Planned(1, "b", 10.0)])
    pace.done(0, "a", 90.0)
    assert pace.left() == pytest.approx(55.0 * (90 + 10) / (45 + 10))
    assert pace.left(0, "b", 20.0) == pytest.approx(100.0 - 20.0)
    assert pace.left(0, "b", 1000.0) == pytest.approx(10.0 * 100 / 55)


def test_a_plan_of_nothing() -> None:
    pace = Pace([Planned(0, "a", 0.0)])
    pace.done(0, "a", 3.0)
    assert pace.left() == 0.0 == Pace([]).left()


@pytest.mark.parametrize(
    ("long", "words"),
    [(0.0, "under a second"), (1.2, "1 s"), (99.4, "99 s"), (99.6, "2 min"), (5940.0, "99 min"), (7200, "2.0 h")],
)
def test_words(long: float, words: str) -> None:
    assert time_in_words(long) == words
