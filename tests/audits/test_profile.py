"""Profiles by the words that a person types."""

import re
from typing import Any

import pytest

from pellucid import config
from pellucid.audits import PARTS, PROFILES, Announced, Decided, Part, Robust, chosen
from pellucid.errors import ConfigError, UnknownName


@pytest.mark.parametrize("name", list(PROFILES))
def test_a_profile_without_overrides_is_itself(name: str) -> None:
    found = chosen(name)
    assert config.dump(found.parts) == config.dump(PROFILES[name].parts)
    assert found.parts == PROFILES[name].parts


@pytest.mark.parametrize(
    "name", ["quick", *(pytest.param(name, marks=pytest.mark.slow) for name in ("standard", "full"))]
)
def test_no_part_looks_at_more_images(name: str) -> None:
    for part, table in parts(name, n=7).items():
        assert table.get("n", 0) <= 7, part
    assert parts(name, n=10**9) == parts(name)


def parts(name: str, **overrides: Any) -> dict[str, Any]:
    return config.dump(chosen(name, **overrides).parts)


def test_settings_go_to_the_part_that_they_name() -> None:
    found = chosen("quick", ["robustness.steps=3", "robustness.l2=[0.5]", "decisions.bins=4"])
    robust, decided = found.parts["robustness"], found.parts["decisions"]
    assert isinstance(robust, Robust) and isinstance(decided, Decided)
    assert (robust.steps, robust.l2, decided.bins) == (3, (0.5,), 4)
    others = {name: part for name, part in found.parts.items() if name not in ("robustness", "decisions")}
    assert others == {name: PROFILES["quick"].parts[name] for name in others}


def test_explainers_take_the_place_of_those_of_the_profile() -> None:
    own = parts("standard")
    found = parts("standard", explainers=["gradient", "smoothgrad"])
    explaining = [name for name, table in own.items() if "explainers" in table]
    assert explaining
    for name in explaining:
        assert list(found[name]["explainers"]) == ["gradient", "smoothgrad"]
        if "smoothgrad" in own[name]["explainers"]:
            assert found[name]["explainers"]["smoothgrad"] == own[name]["explainers"]["smoothgrad"]


def test_settings_of_explainers_that_were_asked_for() -> None:
    found = chosen("quick", ["explanations.explainers.smoothgrad.samples=3"], explainers=["smoothgrad"])
    assert config.dump(found.parts)["explanations"]["explainers"]["smoothgrad"]["samples"] == 3


@pytest.mark.parametrize(
    ("name", "assignments", "error", "message"),
    [
        ("quik", [], UnknownName, "no profile is called 'quik' (did you mean 'quick'?)"),
        (
            "quick",
            ["robustnes.steps=3"],
            ConfigError,
            "there is no setting 'robustnes.steps' (did you mean 'robustness.steps'?)",
        ),
        (
            "quick",
            ["steps=3"],
            ConfigError,
            "'steps=3' does not say whose setting it is; write it as robustness.steps=3",
        ),
        (
            "quick",
            ["robustness=3"],
            ConfigError,
            "'robustness=3' names no setting of 'robustness'; write it as robustness.name=value",
        ),
        (
            "quick",
            ["robustness.stepz=3"],
            ConfigError,
            "there is no setting 'robustness.stepz' (did you mean 'robustness.steps'?)",
        ),
        ("quick", ["robustness.steps=many"], ConfigError, 'robustness.steps is "many"; expected a whole number'),
    ],
)
def test_what_cannot_be_chosen(name: str, assignments: list[str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        chosen(name, assignments)


def test_explainers_and_images_that_cannot_be() -> None:
    with pytest.raises(
        UnknownName, match=re.escape("no explainer is called 'smoothgrat' (did you mean 'smoothgrad'?)")
    ):
        chosen("quick", explainers=["smoothgrat"])
    with pytest.raises(ConfigError, match=re.escape("n is 0; audit on 1 image or more")):
        chosen("quick", n=0)


def test_what_parts_announce_has_full_names() -> None:
    assert Announced("area", ("attack",)) in (Robust().announced() or ())
    assert str(Announced("robust_accuracy", ("linf", "8/255"))) == "robust_accuracy(linf, 8/255)"
    assert str(Announced("consistency", None)) == "consistency(...)"
    for kind in PARTS.values():
        announced: Any = kind().announced()
        assert announced is None or all(isinstance(entry, Announced) for entry in announced)
        assert issubclass(kind, Part)
