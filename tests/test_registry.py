import re
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from pellucid import attacks, registry, train
from pellucid.audits import PROFILES
from pellucid.errors import UnknownName
from pellucid.evaluate import CHECKS
from pellucid.norms import NORMS
from pellucid.registry import Registry, describe
from pellucid.train import RECIPES


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
    with pytest.raises(ModuleNotFoundError):
        places.summary_of("gone")


def test_a_constant_is_described_without_its_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "orchard"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError('imported')\n")
    (package / "trees.py").write_text("OAK = Tree('an oak', 3)\nELM = grow(OAK, summary='an elm')\n")
    monkeypatch.syspath_prepend(tmp_path)
    trees = Registry[object]("tree", {"oak": "orchard.trees:OAK", "elm": "orchard.trees:ELM"})
    assert [trees.summary_of(name) for name in trees] == ["an oak", "an elm"]


@pytest.mark.parametrize(
    "registry", [RECIPES, train.PRESETS, attacks.PRESETS, PROFILES, NORMS, CHECKS], ids=lambda registry: registry.kind
)
def test_what_is_read_of_an_entry_is_what_it_says(registry: Registry[object]) -> None:
    for name in registry:
        assert registry.summary_of(name) == describe(registry[name])
