import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid import config
from pellucid.data import Augmentation, Flip, PadCrop
from pellucid.errors import ConfigError
from pellucid.explainers import Explainer, Smooth
from pellucid.train import SGD, Adam, CosineSchedule, OneCycle, Optimizer, Recipe


@dataclass(frozen=True)
class Inner:
    depth: int = 1
    name: str = "a"


@dataclass(frozen=True)
class Outer:
    needed: float
    inner: Inner = field(default_factory=Inner)
    choice: Literal["red", "green"] = "red"
    names: tuple[str, ...] = ()
    on: bool = False
    table: dict[str, Any] = field(default_factory=dict[str, Any])


VALUES = [
    Outer(1.5, Inner(2, "b"), "green", ("x", "y"), True, {"a": [1, {"b": 2}]}),
    Recipe(optimizer=Adam(lr=0.1), schedule=OneCycle(), augment=(Flip(), PadCrop(2)), keep="best", validation=0.1),
    Recipe(optimizer=SGD(momentum=0.0), schedule=CosineSchedule(warmup=0.1)),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_reads_back_from_its_tables_and_from_toml(value: object) -> None:
    tables = config.dump(value)
    assert config.build(type(value), tables) == value
    assert config.build(type(value), tomllib.loads(config.toml(tables))) == value


plain = st.one_of(
    st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False), st.text(st.characters(codec="utf-8"))
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1), plain))
def test_any_plain_table_survives_toml(table: dict[str, Any]) -> None:
    assert tomllib.loads(config.toml(table)) == table


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"neded": 1.0}, "there is no setting 'neded' (did you mean 'needed'?)"),
        ({}, "the settings must say: needed"),
        ({"needed": "1"}, 'needed is "1"; expected a number'),
        ({"needed": True}, "needed is true; expected a number"),
        ({"needed": 1, "inner": {"depth": 1.5}}, "inner.depth is 1.5; expected a whole number"),
        ({"needed": 1, "inner": {"dept": 1}}, "there is no setting 'inner.dept' (did you mean 'inner.depth'?)"),
        ({"neded": 1, "iner": {"dept": 1}}, "there is no setting 'neded' (did you mean 'needed'?)"),
        ({"needed": 1, "iner": {"depth": 1}}, "there is no setting 'iner.depth' (did you mean 'inner.depth'?)"),
        ({"needed": 1, "depth": 1}, "there is no setting 'depth' (did you mean 'inner.depth'?)"),
        ({"needed": 1, "inner": {"zzz": 1}}, "there is no setting 'inner.zzz' (there are: inner.depth, inner.name)"),
        (
            {"needed": 1, "inner": {"zz": {"yy": 1}}},
            "there is no setting 'inner.zz.yy' (there are: inner.depth, inner.name)",
        ),
        ({"needed": float("nan")}, "needed is NaN; expected a number"),
        ({"needed": 1, "inner": 3}, "inner is 3; expected a table"),
        ({"needed": 1, "choice": "gren"}, "choice is \"gren\" (did you mean 'green'?)"),
        ({"needed": 1, "names": "x"}, 'names is "x"; expected a list'),
        ({"needed": 1, "names": ["x", 1]}, "names[1] is 1; expected text"),
        ({"needed": 1, "on": 1}, "on is 1; expected true or false"),
    ],
)
def test_bad_settings_are_told_with_value_and_place(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.build(Outer, table)
    assert str(caught.value) == message


def test_kinds_are_looked_up_in_the_registry_of_the_abstract_class() -> None:
    assert config.build_as(Optimizer, {"kind": "adam", "lr": 0.5}, "optimizer") == Adam(lr=0.5)
    assert config.build_as(tuple[Augmentation, ...], [{"kind": "flip"}], "augment") == (Flip(),)
    with pytest.raises(ConfigError, match=re.escape("optimizer.kind is \"adm\" (did you mean 'adam'?)")):
        config.build_as(Optimizer, {"kind": "adm"}, "optimizer")
    with pytest.raises(
        ConfigError, match=re.escape('optimizer is "adam"; it is a table, so set optimizer.kind instead')
    ):
        config.build_as(Optimizer, "adam", "optimizer")
    with pytest.raises(ConfigError, match=re.escape("so set optimizer.kind instead (did you mean 'sgd'?)")):
        config.build_as(Optimizer, "sdg", "optimizer")
    with pytest.raises(ConfigError, match=re.escape("optimizer.kind is missing (there are: adam, adamw, sgd)")):
        config.build_as(Optimizer, {}, "optimizer")


def test_a_function_in_a_registry_makes_a_value_at_other_defaults() -> None:
    made = config.build(Explainer, {"kind": "vargrad", "samples": 3})
    assert made == Smooth(samples=3, statistic="variance")
    assert config.build(Explainer, config.dump(made)) == made
    for table, message in (
        ({"sampels": 3}, "there is no setting 'sampels' (did you mean 'samples'?)"),
        ({"samples": "many"}, 'samples is "many"; expected a whole number'),
        ({"samples": 0}, "Smooth has samples=0; give 1 or more"),
    ):
        with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
            config.build(Explainer, {"kind": "vargrad", **table})


def test_an_impossible_value_is_told_with_its_place() -> None:
    with pytest.raises(ConfigError) as caught:
        config.build(Recipe, {"schedule": {"kind": "cosine", "warmup": 2.0}})
    assert str(caught.value) == "schedule: warmup is 2.0; it is a part of training, in [0, 1)"


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("a.b=2", {"a": {"b": 2, "kind": "k"}, "c": 3}),
        ("a.b=text", {"a": {"b": "text", "kind": "k"}, "c": 3}),
        ("a.new.deep=[1, 2]", {"a": {"b": 1, "kind": "k", "new": {"deep": [1, 2]}}, "c": 3}),
        ("c=true", {"a": {"b": 1, "kind": "k"}, "c": True}),
        ("a.kind=other", {"a": {"kind": "other"}, "c": 3}),
        ("c=1e-3", {"a": {"b": 1, "kind": "k"}, "c": 0.001}),
        ("c=a=b", {"a": {"b": 1, "kind": "k"}, "c": "a=b"}),
    ],
)
def test_an_assignment_sets_one_entry(assignment: str, expected: dict[str, Any]) -> None:
    table: dict[str, Any] = {"a": {"b": 1, "kind": "k"}, "c": 3}
    assert config.override(table, assignment) == expected
    assert table == {"a": {"b": 1, "kind": "k"}, "c": 3}


def test_bad_assignments_are_refused() -> None:
    with pytest.raises(ConfigError, match=re.escape("'epochs' sets nothing; write it as name.name=value")):
        config.override({}, "epochs")
    with pytest.raises(ConfigError, match=re.escape("c is 3; it has no 'd' to set")):
        config.override({"c": 3}, "c.d=1")


def test_unreadable_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("a = = 1")
    with pytest.raises(ConfigError, match="bad.toml is not TOML: "):
        config.read(tmp_path / "bad.toml")
    with pytest.raises(ConfigError, match="none.toml': No such file or directory"):
        config.read(tmp_path / "none.toml")


def test_what_is_no_setting_cannot_be_dumped() -> None:
    with pytest.raises(TypeError, match="cannot be written as a setting"):
        config.dump(object())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a = " + "[" * 100_000, "is not TOML: "),
        ("a" + ".a" * 40_000 + " = 1", "lies more than 32 tables deep; no setting does"),
        ("seed = 1" + "0" * 30, "seed is a whole number of more than 64 bits; give a smaller one"),
        ("seed = 1" + "0" * 5000, "is not TOML: "),
        ("seed = 2020-01-01", "seed is 2020-01-01, a date; settings are text, numbers, true or false"),
        ("a = [[2020-01-01]]", "a[0][0] is 2020-01-01, a date; settings are text, numbers, true or false"),
        ("\xff", "is not TOML: "),
        ("#" * (2**20 + 1), "stands for 1 MiB, more than the 1 MiB that it may; "),
    ],
    ids=["lists", "tables", "long", "endless", "date", "dates", "bytes", "large"],
)
def test_what_toml_can_say_and_settings_cannot(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(content.encode("latin1"))
    with pytest.raises(ConfigError) as caught:
        config.read(path)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("a=" + "[" * 100_000, "is no value: "),
        ("a=1" + "0" * 5000, "is no value: "),
        ("a=1" + "0" * 30, "is a whole number of more than 64 bits"),
        ("a." * 100_000 + "a=1", "sets nothing; write it as name.name=value"),
    ],
    ids=["lists", "endless", "long", "deep"],
)
def test_what_may_be_typed_and_cannot_be_meant(assignment: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.override({}, assignment)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_date_that_is_typed_is_text() -> None:
    assert config.override({}, "name=2020-01-01") == {"name": "2020-01-01"}
