"""Auditing part by part: what is kept, what is tried again, and what a failure does not lose."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import pytest

from audited_subject import CLASSES, subject
from pellucid import audits, plain
from pellucid.audits import (
    AuditFolder,
    Began,
    Decided,
    Done,
    Figure,
    Finding,
    Lightened,
    Part,
    Profile,
    Task,
    Waiting,
    plan,
)
from pellucid.errors import ConfigError, Damaged, MeasurementError
from pellucid.evaluate.explanations import Passes
from pellucid.metrics import Estimate
from pellucid.registry import Registry
from pellucid.subjects import Subject

CALLS: list[str] = []


@final
@dataclass(frozen=True)
class Heard(Part):
    """Finds how many images there are, and says so on the way."""

    n: int = 5

    def passes(self, subject: Subject) -> Passes:
        return Passes(self.n, 0)

    def carry_out(self, task: Task) -> Finding:
        CALLS.append(task.subject.name)
        (task.place / "kept.txt").write_text("kept")
        task.watch(1, 2, "halfway")
        return Finding((Figure("images", (), Estimate.proportion(1, self.n)),), details={"order": [1, 2]})


@final
@dataclass(frozen=True)
class Stumbling(Part):
    """Fails while `fault.txt` is in its folder's parent; as soon as it is asked how long it takes if `early`."""

    early: bool = False

    def passes(self, subject: Subject) -> Passes:
        if self.early:
            raise ValueError("cannot tell")
        return Passes(1, 1)

    def carry_out(self, task: Task) -> Finding:
        if (task.place.parent.parent / "fault.txt").exists():
            raise NotImplementedError("no rule for this layer\nand a second line")
        return Finding()


@final
@dataclass(frozen=True)
class Unlabeled(Part):
    """Needs no labels."""

    labeled = False

    def passes(self, subject: Subject) -> Passes:
        return Passes(1, 0)

    def carry_out(self, task: Task) -> Finding:
        return Finding()


@pytest.fixture(autouse=True)
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds: dict[str, type[Part]] = {
        "decided": Decided,
        "heard": Heard,
        "stumbling": Stumbling,
        "unlabeled": Unlabeled,
    }
    monkeypatch.setattr(audits, "PARTS", Registry("part", kinds))
    CALLS.clear()


PROFILE = Profile("a test", {"first": Heard(), "shaky": Stumbling(), "last": Heard(n=7)})


def carried_out(subjects: Sequence[Subject], profile: Profile, folder: AuditFolder, **more: Any) -> list[str]:
    """What happened, in words."""
    words: list[str] = []
    for event in audits.carry_out(subjects, profile, folder, **more):
        match event:
            case Began():
                words.append(f"began {event.model} {event.part}")
            case Done():
                words.append(
                    f"done {event.model} {event.part}{event.outcome.failure and ': ' + event.outcome.failure}"
                )
            case Lightened():
                words += event.lines
            case Waiting():
                words.append(f"waiting for {event.parts}")
    return words


def test_parts_are_carried_out_in_order_each_of_every_network(tmp_path: Path) -> None:
    heard: list[tuple[int, int, str]] = []

    def listen(done: int, total: int, words: str) -> None:
        heard.append((done, total, words))

    networks, folder = [subject(name="a"), subject(name="b")], AuditFolder(tmp_path)
    words = carried_out(networks, PROFILE, folder, watch=listen)
    assert words == [
        f"{what} {model} {part}" for part in PROFILE.parts for model in (0, 1) for what in ("began", "done")
    ]
    assert heard == [(1, 2, "halfway")] * 4
    assert (tmp_path / "0-a/first/kept.txt").exists()
    assert folder.models == ("a", "b")
    assert [(entry["model"], entry["network"], entry["part"]) for entry in folder.figures()] == [
        ("a", 0, "first"),
        ("a", 0, "last"),
        ("b", 1, "first"),
        ("b", 1, "last"),
    ]
    outcome = folder.outcome(0, "first")
    assert outcome is not None and outcome.finding is not None
    assert outcome.finding.details == {"order": [1, 2]}
    assert outcome.finding == plain.build(Finding, json.loads(json.dumps(plain.dump(outcome.finding))))


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    folder = AuditFolder(tmp_path)
    carried_out([subject()], PROFILE, folder)
    before = len(CALLS)
    assert carried_out([subject()], PROFILE, folder) == []
    assert plan([subject()], PROFILE, folder) == []
    assert len(CALLS) == before


def test_a_part_that_fails_loses_nothing_and_is_tried_again(tmp_path: Path) -> None:
    folder = AuditFolder(tmp_path)
    (tmp_path / "fault.txt").touch()
    failure = "NotImplementedError: no rule for this layer"
    assert f"done 0 shaky: {failure}" in carried_out([subject()], PROFILE, folder)
    outcomes = folder.outcomes(0)
    assert outcomes["shaky"].finding is None and not outcomes["shaky"].skipped
    assert outcomes["first"].finding and outcomes["last"].finding
    assert [entry.part for entry in plan([subject()], PROFILE, folder)] == ["shaky"]
    (tmp_path / "fault.txt").unlink()
    assert carried_out([subject()], PROFILE, folder) == ["began 0 shaky", "done 0 shaky"]
    assert folder.outcomes(0)["shaky"].finding == Finding()


def test_a_plan_survives_parts_that_cannot_tell_how_long_they_take(tmp_path: Path) -> None:
    profile = Profile("a test", {"unclear": Stumbling(early=True), "clear": Heard()})
    unclear, clear = plan([subject()], profile, AuditFolder(tmp_path))
    assert unclear.seconds == 0.0
    assert clear.seconds > 0.0


def test_without_labels_parts_that_need_them_are_skipped_and_named(tmp_path: Path) -> None:
    folder, profile = AuditFolder(tmp_path), Profile("a test", {"decisions": Decided(), "other": Unlabeled()})
    network = subject(labeled=False)
    assert [entry.part for entry in plan([network], profile, folder)] == ["other"]
    words = carried_out([network], profile, folder)
    skipped = "skipped: it needs to know the right answers, and there are no labels"
    assert words == [f"done 0 decisions: {skipped}", "began 0 other", "done 0 other"]
    assert folder.outcomes(0)["decisions"].skipped
    assert folder.about["data"]["labeled"] is False


def test_an_audit_that_is_stopped_goes_on(tmp_path: Path) -> None:
    folder = AuditFolder(tmp_path)
    for event in audits.carry_out([subject()], PROFILE, folder):
        if event == Began(0, "shaky"):
            break  # as Ctrl-C would
    assert carried_out([subject()], PROFILE, folder)[0] == "began 0 shaky"


@pytest.mark.parametrize(
    ("subjects", "profile", "seed"),
    [
        ([subject(name="other")], PROFILE, 0),
        ([subject(11)], PROFILE, 0),
        ([subject()], Profile("a test", {"first": Heard(n=6)}), 0),
        ([subject()], PROFILE, 1),
        ([replace(subject(), model=subject().model.double())], PROFILE, 0),
    ],
    ids=["network", "images", "settings", "seed", "weights"],
)
def test_a_folder_holds_one_audit(tmp_path: Path, subjects: list[Subject], profile: Profile, seed: int) -> None:
    carried_out([subject()], PROFILE, AuditFolder(tmp_path))
    message = f"{tmp_path} holds another audit; give each a folder of its own with --out"
    with pytest.raises(MeasurementError, match=f"^{re.escape(message)}$"):
        carried_out(subjects, profile, AuditFolder(tmp_path), seed=seed)


def test_folders_that_are_none_or_damaged(tmp_path: Path) -> None:
    folder = AuditFolder(tmp_path)
    with pytest.raises(ConfigError, match="^there is no network to audit; name one or more$"):
        carried_out([], PROFILE, folder)
    with pytest.raises(
        MeasurementError, match=f"^{re.escape(f'{tmp_path} holds no audit: No such file or directory')}$"
    ):
        folder.about  # noqa: B018
    carried_out([subject()], PROFILE, folder)
    (tmp_path / "0-mine/first.json").write_text("{")
    outcome = folder.outcomes(0)["first"]
    assert outcome.damaged and outcome.finding is None and "first.json' is damaged" in outcome.failure
    assert folder.damaged() == [outcome.failure]
    (tmp_path / "audit.json").write_text("{")
    with pytest.raises(Damaged, match=re.escape("audit.json' is damaged")):
        folder.about  # noqa: B018


@pytest.mark.parametrize(("name", "place"), [("../../x", "0-x"), ("a b:c/d e", "0-d_e"), ("runs/mine/", "0-mine")])
def test_names_of_networks_stay_below_the_folder(tmp_path: Path, name: str, place: str) -> None:
    folder = AuditFolder(tmp_path)
    carried_out([subject(name=name)], PROFILE, folder)
    assert folder.place(0, "first") == tmp_path / place / "first"
    assert len(CLASSES) == 4
