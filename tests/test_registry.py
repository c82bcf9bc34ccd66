import re
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from pellucid import registry
from pellucid.errors import UnknownName
from pellucid.registry import Registry, describe


@pytest.fixture
def fruit(monkeypatch: pytest.MonkeyPatch) -> Registry[object]:
    point = EntryPoint(name="plum", value="fractions:Fraction", group="pellucid.fruits")

    def plugins(group: str, name: str | None = None) -> EntryPoints:
        return EntryPoints([point] if group == "pellucid.fruits" and name in (None, "plum") else [])

    monkeypatch.setattr(registry, "entry_points", plugins)
    return Registry[object]("fruit", {"apple": int, "pear": float})


def test_entries_keep_their_order_and_plugins_come_last(fruit: Registry[object]) -> None:
    assert list(fruit) == ["apple", "pear", "plum"]
    assert len(fruit) == 3
    assert "plum" in fruit and "fig" not in fruit


def test_a_plugin_is_loaded_on_a_miss(fruit: Registry[object]) -> None:
    from fractions import Fraction

    assert fruit["plum"] is Fraction
    assert fruit["apple"] is int


def test_an_unknown_name_is_told_from_the_nearest(fruit: Registry[object]) -> None:
    with pytest.raises(UnknownName, match=re.escape("no fruit is called 'peer' (did you mean 'pear'?)")):
        fruit["peer"]


def test_the_name_of_an_entry(fruit: Registry[object]) -> None:
    assert fruit.name_of(float) == "pear"
    with pytest.raises(UnknownName, match=re.escape("<class 'str'> is not registered as a fruit")):
        fruit.name_of(str)


def test_an_entry_describes_itself_in_its_first_line() -> None:
    def pick() -> None:
        """Pick one.

        And more.
        """

    assert describe(pick) == "Pick one."


def test_a_place_is_imported_only_when_its_name_is_asked_for() -> None:
    places = Registry[object]("number", {"half": "fractions:Fraction", "gone": "pellucid.nowhere:Gone"})
    from fractions import Fraction

    assert list(places) == ["half", "gone"]
    assert places.name_of(Fraction) == "half"
    assert places.summary_of("half") == "This class implements rational numbers."
    assert places["half"] is Fraction
    with pytest.raises(ModuleNotFoundError):
        places["gone"]
