"""An audit in one call, whatever networks and images are given as."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image
from torch import nn

from audited_subject import subject
from pellucid import audits, data
from pellucid.audits import Decided, Explained, Listener, Planned, Profile
from pellucid.data import Data
from pellucid.errors import ConfigError, UnknownName
from pellucid.intake import Intake, with_intake
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


def says(side: int) -> nn.Module:
    """A network of two classes that says how large images are to be."""
    model = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(12, 2)).eval()
    return with_intake(model, Intake((3, side, side), classes=("red", "blue")))


def test_a_network_at_hand_gets_pictures_as_it_takes_them(tmp_path: Path) -> None:
    for name, color in (("blue", (0, 0, 255)), ("red", (255, 0, 0))):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number, size in enumerate(((40, 30), (25, 60))):
            Image.new("RGB", size, color).save(tmp_path / "photos" / name / f"{number}.png")
    found = audits.audit({"mlp": says(12)}, tmp_path / "photos", PROFILE, out=tmp_path / "audit")
    known = found.folder.about["data"]
    assert (known["shape"], known["classes"], known["images"]) == ([3, 12, 12], ["red", "blue"], 4)
    assert found.folder.untrained == (), "it is called so, and is no listed network"
    asked = Asked("", str(tmp_path / "photos"), n=3)
    again = audits.audit({"mine": says(12)}, asked, PROFILE, out=tmp_path / "some")
    assert again.folder.about["data"]["images"] == 3
    with pytest.raises(ConfigError, match="^'a' and 'b' take images in different ways; audit each alone, or say one"):
        audits.audit({"a": says(12), "b": says(16)}, tmp_path / "photos", PROFILE, out=tmp_path / "none")
    assert not (tmp_path / "none").exists()
