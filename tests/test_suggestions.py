"""What is suggested in place of a setting that does not exist is itself accepted, in one step."""

import re
import string
from collections.abc import Iterator
from typing import Any

import pytest

from pellucid import config, naming
from pellucid.attacks import ATTACKS, named
from pellucid.audits import PROFILES, chosen
from pellucid.errors import ConfigError
from pellucid.evaluate.explanations import METRICS, metrics_named
from pellucid.evaluate.retrain import RANKINGS, rankings_named
from pellucid.explainers import EXPLAINERS
from pellucid.explainers import chosen as explaining
from pellucid.registry import Registry
from pellucid.runs import build, table

KINDS: list[tuple[str, str]] = [
    (kind, name)
    for kind, registry in (("attack", ATTACKS), ("explainer", EXPLAINERS), ("metric", METRICS), ("ranking", RANKINGS))
    for name in registry
]
LISTS: dict[str, Registry[Any]] = {
    "attack": ATTACKS,
    "explainer": EXPLAINERS,
    "metric": METRICS,
    "ranking": RANKINGS,
}


def slips(place: str) -> Iterator[str]:
    """The place with one letter of its last name left out, doubled, changed, or exchanged with the next."""
    owner, dot, name = place.rpartition(".")
    for i, letter in enumerate(name):
        other = string.ascii_lowercase[(ord(letter) + 11) % 26]
        for slip in (
            name[:i] + name[i + 1 :],
            name[:i] + letter + name[i:],
            name[:i] + other + name[i + 1 :],
            name[:i] + name[i + 1 : i + 2] + letter + name[i + 2 :],
        ):
            if slip and slip != name:
                yield owner + dot + slip


def suggested(error: Exception) -> str:
    found = re.findall(r"\(did you mean '(.*)'\?\)", str(error))
    assert found, str(error)
    return found[0]


def known_places(kind: str, name: str) -> list[str]:
    defaults = naming.defaults(LISTS[kind][name], name)
    return [place for place in config.places(defaults) if place != "kind"]


@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_every_slip_leads_to_a_setting_that_exists(kind: str, name: str) -> None:
    known = known_places(kind, name)
    for place in known:
        for slip in slips(place):
            if slip not in known:
                assert suggested(config.no_setting(slip, known)) in known, slip


@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_a_slip_that_is_typed_gets_a_suggestion_that_can_be_typed(kind: str, name: str) -> None:
    known = known_places(kind, name)
    for place in known[-1:]:  # the one that lies deepest; which are suggested for all of them is tested above
        (slip, *_) = [one for one in slips(place) if one not in known]
        with pytest.raises(ConfigError) as caught:
            typed(kind, name, f"{slip}=1")
        assert suggested(caught.value) in known


def typed(kind: str, name: str, assignment: str) -> object:
    match kind:
        case "attack":
            return named(name, assignments=[assignment])
        case "explainer":
            return explaining([name], [assignment])
        case "metric":
            return metrics_named([name], [], [assignment])
        case _:
            return rankings_named([name], [assignment])


def test_of_several_the_suggestion_says_whose_setting_it_is() -> None:
    with pytest.raises(ConfigError, match=re.escape("'smoothgrad.sample' (did you mean 'smoothgrad.samples'?)")):
        explaining(["smoothgrad", "lime"], ["smoothgrad.sample=5"])
    with pytest.raises(ConfigError, match=re.escape("'smothgrad.samples' (did you mean 'smoothgrad.samples'?)")):
        explaining(["lime", "smoothgrad"], ["smothgrad.samples=5"])
    with pytest.raises(ConfigError, match=re.escape("write it as smoothgrad.samples=5")):
        explaining(["lime", "smoothgrad"], ["samples=5"])
    with pytest.raises(ConfigError, match=re.escape("'smoothgrad=5' names no setting of 'smoothgrad'")):
        explaining(["lime", "smoothgrad"], ["smoothgrad=5"])


@pytest.mark.parametrize("recipe", ["interpretation-regularization", "adversarial-explanations-all", "consistency"])
def test_slips_in_the_settings_of_a_training(recipe: str) -> None:
    settings = table(recipe)
    known = config.places(config.dump(build(settings)))
    for place in known:
        for slip in slips(place):
            if slip not in known:
                assert suggested(config.no_setting(slip, known)) in known, slip


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("recipe.epoch", "recipe.epochs"),
        ("epochs", "recipe.epochs"),
        ("lr", "recipe.optimizer.lr"),
        ("recipe.lr", "recipe.optimizer.lr"),
        ("recipe.optimzer.lr", "recipe.optimizer.lr"),
        ("recipe.optimzer", "recipe.optimizer.kind"),
        ("modle.name", "model.name"),
        ("objective.aling.weight", "objective.align.weight"),
        ("objective.align.wieght", "objective.align.weight"),
        ("references.reference.recipee", "references.reference.recipe"),
    ],
)
def test_what_is_meant_in_a_training(typed: str, meant: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(table("interpretation-regularization", assignments=[f"{typed}=1"]))
    assert str(caught.value) == f"there is no setting '{typed}' (did you mean '{meant}'?)"


def test_slips_in_the_settings_of_an_audit() -> None:
    known = config.places({name: config.dump(part) for name, part in PROFILES["quick"].parts.items()})
    for place in ("robustness.nearest", "explanations.metrics.insertion.steps", "class maps.explainer.lime.masks"):
        (slip, *_) = [one for one in slips(place) if one not in known]
        with pytest.raises(ConfigError) as caught:
            chosen("quick", [f"{slip}=1"])
        assert suggested(caught.value) == place
