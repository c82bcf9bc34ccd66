"""An audit in one call, whatever networks and images are given as."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from torch import nn

from audited_subject import subject
from pellucid import audits, data
from pellucid.audits import Decided, Explained, Listener, Planned, Profile
from pellucid.data import Data
from pellucid.errors import ConfigError, UnknownName
from pellucid.subjects import Asked, Subject

PROFILE = Profile("a test", {"decisions": Decided(), "explanations": Explained()})


class Ear(Listener):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def begins(self, subjects: Sequence[Subject]) -> None:
        self.heard += [subject.name for subject in subjects]

    def planned(self, planned: Sequence[Planned], complete: int) -> None:
        self.heard.append(f"{len(planned)} to do, {complete} complete")


def test_networks_are_shown_under_their_names(tmp_path: Path) -> None:
    one, ear = subject(), Ear()
    found = audits.audit({"mine": one.model, "yours": one.model}, one.split, PROFILE, out=tmp_path, listener=ear)
    assert ear.heard == ["mine", "yours", "4 to do, 0 complete"]
    assert found.page == tmp_path / "report.html" and "mine" in found.page.read_text()
    assert (tmp_path / "figures.csv").exists()
    assert list(found.figures) == ["mine", "yours"] == list(found.verdicts)
    accuracy = found.figures["mine"]["accuracy"].estimate
    assert accuracy is not None and accuracy.value == 11 / 12
    assert f"  accuracy: {accuracy}" in repr(found).splitlines() and repr(found).startswith(f"Audited: {found.page}")
    again = Ear()
    audits.audit({"mine": one.model, "yours": one.model}, one.split, PROFILE, out=tmp_path, listener=again)
    assert again.heard[-1] == "0 to do, 4 complete"


def test_a_network_alone_is_called_by_its_class(tmp_path: Path) -> None:
    one = subject()
    known = Data("made up", one.split, one.split)
    found = audits.audit(one.model, known, PROFILE, n=5, out=tmp_path)
    assert list(found.figures) == [type(one.model).__name__]
    assert found.folder.about["data"]["source"] == "made up" and found.folder.about["data"]["images"] == 5


def test_names_are_those_of_the_command_line(tmp_path: Path) -> None:
    found = audits.audit("mlp", "digits", PROFILE, n=6, out=tmp_path / "one")
    assert found.folder.models == ("mlp",) and found.folder.untrained == ("mlp",)
    asked = Asked("mlp", "digits", n=6, device="cpu")
    again = audits.audit({"first": "mlp"}, asked, PROFILE, out=tmp_path / "two", required=["accuracy >= 2"])
    assert again.folder.models == ("first",)
    (short,) = again.conclusion()["requirements"]
    assert short["requirement"] == "accuracy >= 2.0"


def test_what_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    model, digits = nn.Flatten(), data.load("digits")
    with pytest.raises(ConfigError, match="^'Flatten' does not know its images; give data$"):
        audits.audit(model, profile=PROFILE, out=tmp_path)
    with pytest.raises(ConfigError, match="^'mlp' is a name among networks; give it as a network too, by models"):
        audits.audit(["mlp", model], digits, PROFILE, out=tmp_path)
    with pytest.raises(ConfigError, match="^networks by name take images by name; load them by models.load, or name"):
        audits.audit("mlp", digits, PROFILE, out=tmp_path)
    with pytest.raises(UnknownName, match=re.escape("no figure is called 'acuracy' (did you mean 'accuracy'?)")):
        audits.audit("mlp", "digits", PROFILE, out=tmp_path, required=["acuracy >= 0.5"])
    assert not (tmp_path / "audit.json").exists()
