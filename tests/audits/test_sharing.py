"""Several processes at one audit: each part of each network once, whoever comes, goes or dies."""

from collections.abc import Generator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audited_subject import subject
from pellucid import audits
from pellucid.audits import (
    AuditFolder,
    Began,
    Done,
    Event,
    Figure,
    Finding,
    Lightened,
    Listener,
    Part,
    Profile,
    Sharing,
    Task,
    Waiting,
)
from pellucid.audits.fitting import Deadline, span_of
from pellucid.errors import ConfigError
from pellucid.evaluate.explanations import Passes
from pellucid.evaluate.speed import Speed
from pellucid.metrics import Estimate
from pellucid.registry import Registry
from pellucid.subjects import Subject

CALLS: list[str] = []
SPEED = Speed(1.0, 1.0, 4.0)
NETWORKS = [subject(64, name="one"), subject(64, name="two")]


@final
@dataclass(frozen=True)
class Noted(Part):
    """Notes which network it looked at; it fails where a file asks for that."""

    n: int = 64

    lightened: ClassVar[Any] = (("n", 4),)

    def passes(self, subject: Subject) -> Passes:
        return Passes(self.n, 0)

    def carry_out(self, task: Task) -> Finding:
        CALLS.append(f"{task.subject.name} {task.place.name}")
        if (task.place.parent.parent / "fault.txt").exists():
            raise ValueError("a fault")
        return Finding((Figure("images", (), Estimate.proportion(1, self.n)),))


@pytest.fixture(autouse=True)
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audits, "PARTS", Registry("part", {"noted": Noted}))
    monkeypatch.setattr("pellucid.audits.carrying_out.LOOK_AGAIN", 0.0)
    CALLS.clear()


PROFILE = Profile("a test", {"first": Noted(), "second": Noted(n=32)})
EVERY = sorted(f"{network.name} {part}" for part in PROFILE.parts for network in NETWORKS)


def process(path: Path, **more: Any) -> Generator[Event]:
    return audits.carry_out(NETWORKS, PROFILE, AuditFolder(path), **more)


def in_turn(crowd: list[Generator[Event]]) -> list[list[Event]]:
    """What each hears, one event at a time, until none hears more."""
    heard: list[list[Event]] = [[] for _ in crowd]
    for _ in range(200):
        for number, one in enumerate(crowd):
            heard[number] += islice(one, 1)
    assert not any(list(islice(one, 1)) for one in crowd)
    return heard


def named(events: list[Event]) -> list[str]:
    return sorted(f"{NETWORKS[one.model].name} {one.part}" for one in events if isinstance(one, Done))


@settings(max_examples=15)
@given(turns=st.lists(st.integers(0, 2), max_size=60))
def test_each_part_is_carried_out_once_in_whatever_turn_and_all_hear_of_all(
    turns: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("audit")
    CALLS.clear()
    heard: list[list[Event]] = [[], [], []]
    crowd = [process(path) for _ in heard]
    for turn in turns:
        heard[turn] += islice(crowd[turn], 1)
    for number, rest in enumerate(in_turn(crowd)):
        heard[number] += rest
    assert sorted(CALLS) == EVERY
    for events in heard:  # who came when all was done has nothing to hear
        assert named(events) in (EVERY, []) or set(named(events)) < set(EVERY)
    assert named(heard[0] + heard[1] + heard[2])
    assert not (path / "claims").exists(), "nobody is at work any more"


def test_who_finds_nothing_left_waits_and_hears_what_the_others_found(tmp_path: Path) -> None:
    first, second = process(tmp_path), process(tmp_path)
    assert next(first) == Began(0, "first")
    events = [next(second) for _ in range(7)]
    assert events[0] == Began(1, "first") and events[-1] == Waiting(1)
    rest = list(first)
    assert named(rest) == EVERY
    (last,) = list(second)
    assert isinstance(last, Done) and (last.model, last.part) == (0, "first") and last.outcome.finding
    assert sorted(CALLS) == EVERY


def test_what_somebody_had_in_hand_who_gave_up_is_free_again(tmp_path: Path) -> None:
    first, second = process(tmp_path), process(tmp_path)
    assert next(first) == Began(0, "first")
    assert [type(next(second)) for _ in range(7)][-1] is Waiting
    first.close()
    assert named(list(second)) == ["one first"]
    assert sorted(CALLS) == EVERY


def test_a_fault_is_met_once_and_tried_again_by_who_comes_later(tmp_path: Path) -> None:
    (tmp_path / "fault.txt").touch()
    heard = in_turn([process(tmp_path), process(tmp_path)])
    assert sorted(CALLS) == EVERY
    for events in heard:
        assert named(events) == EVERY and all(one.outcome.failure for one in events if isinstance(one, Done))
    (tmp_path / "fault.txt").unlink()
    assert all(not one.outcome.failure for one in process(tmp_path) if isinstance(one, Done))
    assert sorted(CALLS) == sorted(EVERY * 2)


def test_what_somebody_removes_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "fault.txt").touch()
    list(process(tmp_path))
    second = process(tmp_path)
    assert next(second) == Began(0, "first")
    (tmp_path / "1-two" / "second.json").unlink()
    assert named(list(second)) == EVERY


def test_an_audit_is_shared_by_one_or_more(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="^processes is 0; give how many share the audit, 1 or more$"):
        audits.audit(NETWORKS, None, PROFILE, out=tmp_path, processes=0)


def test_one_leads_and_another_one_when_it_is_gone(tmp_path: Path) -> None:
    folder = AuditFolder(tmp_path)
    with Sharing(folder, helps=True) as helper, Sharing(folder) as second:
        with Sharing(folder) as first:
            assert first.leads and not second.leads and not helper.leads
        assert second.leads and not helper.leads
    assert list(tmp_path.iterdir()) == []


def test_others_do_what_the_one_that_leads_has_made_lighter(tmp_path: Path) -> None:
    folder = AuditFolder(tmp_path)
    asked = Profile("a test", PROFILE.parts, budget=200.0)
    audits.begin(NETWORKS, asked, folder, asked=asked)
    with Sharing(folder) as one, Sharing(folder, helps=True) as other:
        leads = process(tmp_path, sharing=one, deadline=Deadline(200.0, NETWORKS, [SPEED] * 2, 2))
        helps = process(tmp_path, sharing=other)
        assert next(leads) == Began(0, "first")
        assert next(helps) == Began(1, "first")
        late = Deadline(94.0, NETWORKS, [SPEED] * 2, 2)
        lightened = process(tmp_path, sharing=one, deadline=late)
        assert next(lightened) == Lightened(("second: n 8 instead of 32",))
        assert [type(next(helps)) for _ in range(2)] == [Done, Began]
        assert AuditFolder(tmp_path).about["parts"]["second"]["n"] == 8
        list(islice(helps, 20))
        outcome = folder.outcome(0, "second") or folder.outcome(1, "second")
        assert outcome and outcome.finding
        (figure,) = outcome.finding.figures
        assert figure.estimate and figure.estimate.n == 8


@given(st.lists(st.floats(0, 100), max_size=12), st.integers(1, 4))
def test_how_long_several_take(seconds: list[float], processes: int) -> None:
    span = span_of(seconds, processes)
    assert max([sum(seconds) / processes, *seconds, 0]) - 1e-9 <= span <= sum(seconds) + 1e-9
    assert span_of(seconds, 1) == pytest.approx(sum(seconds))
    assert span_of(seconds, processes, [7.0]) >= max(span, 7.0) - 1e-9
    assert span_of(seconds, processes + 1) <= sum(seconds) + 1e-9


def test_a_budget_counts_on_all_processes() -> None:
    parts = {"one": Noted(n=30), "two": Noted(n=30), "three": Noted(n=30), "four": Noted(n=30)}
    of = [NETWORKS[0]]
    assert Deadline(80.0, of, [SPEED], 2).fitted(parts) == parts
    assert Deadline(80.0, of, [SPEED]).fitted(parts) != parts
    # one that another process has in hand leaves half as much room, and hinders nobody for longer than there is time
    left = {name: parts[name] for name in ("one", "two", "three")}
    assert Deadline(80.0, of, [SPEED], 2).fitted(left, {"one"}, (), [(0, "one")]) == left
    fitted = Deadline(30.0, of, [SPEED], 2).fitted({**left, "one": Noted(n=1000)}, {"one"}, (), [(0, "one")])
    assert set(fitted) == set(left) and fitted["two"] != left["two"]
    assert Deadline(95.0, of, [SPEED]).fitted(left, {"one"}, [(0, "one")])["two"] == left["two"]
    assert Deadline(85.0, of, [SPEED]).fitted(left, {"one"}, [(0, "one")])["two"] != left["two"]


class Ear(Listener):
    def __init__(self) -> None:
        self.pages: list[Path] = []

    def drawn(self, page: Path) -> None:
        self.pages.append(page)


def test_only_who_leads_times_the_network_and_draws_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed: list[str] = []

    def speed_of(of: Subject) -> Speed:
        timed.append(of.name)
        return SPEED

    monkeypatch.setattr("pellucid.audits.planning.speed_of", speed_of)
    profile = Profile("a test", PROFILE.parts, budget=1000.0)
    ear = Ear()
    audits.audit(NETWORKS, None, profile, out=tmp_path / "alone", listener=ear)
    assert timed == ["one", "two"] and len(ear.pages) == 1
    helper = Ear()
    helper.helps = True
    folder = AuditFolder(tmp_path / "shared")
    audits.begin(NETWORKS, profile, folder, asked=profile)
    found = audits.audit(NETWORKS, None, profile, out=folder.path, listener=helper, processes=2)
    assert timed == ["one", "two"] and helper.pages == []
    assert found.page.read_text()
