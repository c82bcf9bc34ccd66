import math
from typing import Any

import pytest

from pellucid import shape
from pellucid.shape import ENDLESS, PLAIN, Each, Row

TABLE = {
    "name": str,
    "n?": int,
    "ends": (Row(float, ENDLESS), None),
    "by": {"class", "global"},
    "rest?": Each([bool]),
}
GOOD: dict[str, Any] = {"name": "a", "ends": [1, math.inf], "by": "class", "rest": {"b": [True]}, "more": object}


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_what_is_as_it_should_be() -> None:
    shape.check(GOOD, TABLE)
    shape.check({**GOOD, "ends": None, "n": -(2**63)}, TABLE)
    shape.check({"a": [1, 2.5, None, {"b": "c"}], "d": deep(20)}, PLAIN)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 5}, "name is 5, not text"),
        ({"name": "a" * 10_001}, "name is text of 10001 letters, more than 10000"),
        ({"name": "\ud800"}, "name is no text: it has half a character"),
        ({"n": True}, "n is true, not a whole number"),
        ({"n": 2**63 + 1}, "n is an endless number, not a whole number"),
        ({"n": 1.5}, "n is 1.5, not a whole number"),
        ({"ends": [1]}, "ends has 1 entries, not 2"),
        ({"ends": [math.inf, 1]}, "ends[0] is Infinity, not a number"),
        ({"ends": [1, math.nan]}, "ends[1] is NaN, not a number"),
        ({"ends": "all"}, 'ends is "all", not a list or null'),
        ({"by": "name"}, "by is \"name\", not 'class' or 'global'"),
        ({"by": []}, "by is a list, not 'class' or 'global'"),
        ({"rest": []}, "rest is a list, not a table"),
        ({"rest": {"b": [1]}}, "rest.b[0] is 1, not true or false"),
    ],
)
def test_what_is_not(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        shape.check({**GOOD, **change}, TABLE)
    assert str(caught.value) == message


def test_what_is_missing_or_no_table() -> None:
    with pytest.raises(ValueError, match="^by is missing$"):
        shape.check({name: value for name, value in GOOD.items() if name != "by"}, TABLE)
    with pytest.raises(ValueError, match="^it is 3, not a table$"):
        shape.check(3, TABLE)


def test_plain_values_end_somewhere() -> None:
    with pytest.raises(ValueError, match="lies more than 32 tables deep$"):
        shape.check(deep(40), PLAIN, "a")
    with pytest.raises(ValueError, match="is an endless number"):
        shape.check({"a": 10**100}, PLAIN)
