import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from pellucid import plain
from pellucid.plain import Endless


@dataclass(frozen=True)
class Inner:
    name: str
    at: tuple[float, float]


@dataclass(frozen=True)
class Outer:
    end: Literal["higher", "lower"]
    width: Endless
    inner: tuple[Inner, ...] = ()
    by_name: Mapping[str, Inner | None] = field(default_factory=dict[str, Inner | None])
    cost: str | float = 0.0
    rest: Any = None

    def __post_init__(self) -> None:
        if len(self.inner) > 2:
            raise ValueError("inner has more than two")


VALUE = Outer(
    "lower", math.inf, (Inner("a", (1.0, 2.0)),), {"b": None, "c": Inner("d", (0.0, 0.5))}, "much", {"e": [1]}
)


def test_what_was_dumped_is_built_again() -> None:
    assert plain.build(Outer, json.loads(json.dumps(plain.dump(VALUE)))) == VALUE


def test_what_has_a_default_may_be_missing_and_more_may_be_there() -> None:
    assert plain.build(Outer, {"end": "higher", "width": 1.5, "more": 7}) == Outer("higher", 1.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"end": "up"}, "x.end is \"up\", not 'higher' or 'lower'"),
        ({"width": "w"}, 'x.width is "w", not a number'),
        ({"inner": [{"name": "a"}]}, "x.inner[0].at is missing"),
        ({"inner": [{"name": "a", "at": [1.0]}]}, "x.inner[0].at has 1 entries, not 2"),
        ({"inner": [{"name": "a", "at": [1.0, math.inf]}]}, "x.inner[0].at[1] is Infinity, not a number"),
        ({"inner": 3 * [{"name": "a", "at": [1.0, 2.0]}]}, "x.inner has more than two"),
        ({"by_name": {"b": {"name": 5, "at": [1.0, 2.0]}}}, "x.by_name.b.name is 5, not text"),
        ({"cost": True}, "x.cost is true, not text or a number"),
    ],
)
def test_what_is_not_as_it_should_be_is_said(change: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        plain.build(Outer, {**plain.dump(VALUE), **change}, "x")
