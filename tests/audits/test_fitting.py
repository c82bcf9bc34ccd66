"""Audits that keep to a time: which parts do less, and what is said of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audited_subject import subject
from pellucid import audits, config
from pellucid.audits import (
    PROFILES,
    AuditFolder,
    Began,
    Explained,
    Finding,
    Lightened,
    Listener,
    Part,
    Profile,
    Robust,
    Task,
    carry_out,
    chosen,
)
from pellucid.audits.fitting import Deadline, left_out, seconds_of
from pellucid.errors import ConfigError, MeasurementError
from pellucid.evaluate.explanations import AdversarialSimilarity, Insertion, Passes, Sparsity
from pellucid.evaluate.speed import Speed
from pellucid.explainers import Gradient, IntegratedGradients
from pellucid.registry import Registry
from pellucid.subjects import Subject


class Clock:
    """A time that passes only where a part says so."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    perf_counter = monotonic


CLOCK = Clock()
SPEED = Speed(1.0, 1.0, 4.0)


@final
@dataclass(frozen=True)
class Slow(Part):
    """Takes a pass for each of its images, and in truth so many seconds more."""

    n: int = 64
    least: int = 4
    sleep: float = 0.0

    lightened: ClassVar[Any] = (("n", 4),)
    labeled = False

    def passes(self, subject: Subject) -> Passes:
        return Passes(self.n, 0)

    def carry_out(self, task: Task) -> Finding:
        task.place.mkdir(exist_ok=True)
        CLOCK.seconds += self.sleep
        return Finding()


@final
@dataclass(frozen=True)
class Weighty(Part):
    """As slow, and as much weight as four others."""

    n: int = 64

    lightened: ClassVar[Any] = (("n", 4),)
    labeled = False
    weight = 4.0

    def passes(self, subject: Subject) -> Passes:
        return Passes(self.n, 0)

    def carry_out(self, task: Task) -> Finding:
        return Finding()


@final
@dataclass(frozen=True)
class Fixed(Part):
    """Cannot be lighter."""

    labeled = False

    def passes(self, subject: Subject) -> Passes:
        return Passes(64, 0)

    def carry_out(self, task: Task) -> Finding:
        return Finding()


@final
@dataclass(frozen=True)
class Grave(Part):
    """Cannot be lighter, and matters most."""

    labeled = False
    weight = 4.0

    def passes(self, subject: Subject) -> Passes:
        return Passes(48, 0)

    def carry_out(self, task: Task) -> Finding:
        return Finding()


@pytest.fixture(autouse=True)
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {name: audits.PARTS[name] for name in audits.PARTS}
    monkeypatch.setattr(audits, "PARTS", Registry("part", {**known, "slow": Slow, "weighty": Weighty}))


def deadline(seconds: float, speed: Speed = SPEED, count: int = 64) -> Deadline:
    return Deadline(seconds, [subject(count)], [speed])


def total(parts: Mapping[str, Part], speed: Speed = SPEED) -> float:
    return sum(seconds_of(part, subject(64), speed) for part in parts.values())


@given(st.floats(1, 2000), st.lists(st.integers(1, 300), min_size=1, max_size=5))
def test_what_fits_is_left_as_it_is_and_what_does_not_is_made_to(budget: float, counts: list[int]) -> None:
    parts = {str(number): Slow(n=count) for number, count in enumerate(counts)}
    found = deadline(budget).fitted(parts)
    if total(parts) <= 0.79 * budget:
        assert found == parts
    else:
        assert total(found) <= 0.8 * budget or len(found) == 1
    assert set(found) <= set(parts) and found
    for name, part in found.items():
        assert isinstance(part, Slow) and min(4, parts[name].n) <= part.n <= parts[name].n
    if len(found) < len(parts):  # none is left out where all of them would fit at their lightest
        assert sum(min(4, part.n) for part in parts.values()) > 0.79 * budget


def test_parts_share_the_time_by_their_weight() -> None:
    found = deadline(101).fitted({"one": Slow(n=64), "heavy": Weighty(n=64)})
    assert found == {"one": Slow(n=16), "heavy": Weighty(n=64)}


def test_what_a_part_leaves_free_goes_to_those_that_stay() -> None:
    found = deadline(51).fitted({"small": Slow(n=16), "huge": Fixed()})
    assert found == {"small": Slow(n=16)}, "which had to be lighter only beside the other"


def test_what_matters_most_is_the_last_to_go() -> None:
    parts = {"grave": Grave(), "one": Slow(n=16), "two": Slow(n=16)}
    assert set(deadline(71).fitted(parts)) == {"grave", "one", "two"}
    assert deadline(61).fitted(parts) == {"grave": Grave()}
    assert set(deadline(59).fitted(parts)) == {"one", "two"}, "which it leaves room for"


def test_what_is_settled_stays() -> None:
    parts = {"done": Slow(n=64), "next": Slow(n=64)}
    assert deadline(31).fitted(parts, {"done"}) == {"done": Slow(n=64), "next": Slow(n=16)}


def test_what_cannot_be_told_is_never_left_out() -> None:
    unknown = Speed(0.0, 0.0, 0.0)
    parts = {"one": Slow(), "two": Slow()}
    assert deadline(1, unknown).fitted(parts) == parts


def test_parts_that_took_longer_make_the_others_lighter() -> None:
    late = deadline(1000)
    parts: dict[str, Part] = {"one": Slow(n=64), "two": Slow(n=300)}
    assert late.fitted(parts) == parts
    late.took(parts["one"], 0, 640.0)
    (found,) = late.fitted({"two": parts["two"]}, {"one"}).values()
    assert isinstance(found, Slow) and found.n < 300


@pytest.mark.parametrize(
    "profile", ["quick", *(pytest.param(name, marks=pytest.mark.slow) for name in ("standard", "full"))]
)
@pytest.mark.parametrize("classes", [True, False])
def test_every_part_that_comes_along_can_be_lighter_until_it_cannot(profile: str, classes: bool) -> None:
    own = subject(64, labeled=classes)
    for name, part in PROFILES[profile].parts.items():
        before, steps = part, 0
        while (lighter := before.lighter(own, SPEED)) is not None:
            assert lighter != before and type(lighter) is type(part), name
            assert seconds_of(lighter, own, SPEED) <= seconds_of(before, own, SPEED), name
            assert config.build_as(Part, config.dump(lighter), name) == lighter
            before, steps = lighter, steps + 1
            assert steps < 200, name
        assert seconds_of(before, own, SPEED) < seconds_of(part, own, SPEED) or not part.fits(own) or not steps


def test_figures_far_dearer_than_others_go_before_images() -> None:
    own = subject(64)
    part = Explained(
        {"gradient": Gradient(), "integrated-gradients": IntegratedGradients(steps=20)},
        {"insertion": Insertion(), "attacked": AdversarialSimilarity(steps=5), "sparsity": Sparsity()},
        n=40,
    )
    first = part.lighter(own, SPEED)
    assert first == replace(part, without=("attacked of integrated-gradients",))
    second = first.lighter(own, SPEED) if first else None
    assert second is not None and second.n == 20 and second.without == ("attacked of integrated-gradients",)
    assert [str(one) for one in second.announced() if one.name == "attacked"] == ["attacked(gradient)"]


def test_a_figure_that_is_left_out_says_so(tmp_path: Path) -> None:
    part = Explained({"gradient": Gradient()}, {"insertion": Insertion(), "sparsity": Sparsity()}, n=3)
    place = tmp_path / "explanations"
    place.mkdir()
    found = replace(part, without=("insertion of gradient",)).carry_out(Task(subject(), place))
    insertion, sparsity = found.figures
    assert insertion.estimate is None and insertion.note == "left out, so that the audit keeps to its time"
    assert sparsity.estimate is not None
    with pytest.raises(ConfigError, match="^without has 'no of gradient', which is no figure of this part"):
        replace(part, without=("no of gradient",))


def test_what_is_left_out_in_words() -> None:
    asked = {
        "explanations": {"kind": "explained", "n": 24, "without": [], "explainers": {"a": {"samples": 3}, "b": {}}},
        "decisions": {"n": 0},
        "robustness": {"n": 100, "steps": 10},
        "class maps": {"n": 4},
    }
    own = {
        "explanations": {"kind": "explained", "n": 8, "without": ["x of a"], "explainers": {"a": {"samples": 1}}},
        "decisions": {"n": 1000},
        "robustness": {"n": 100, "steps": 10},
    }
    assert left_out(asked, own) == [
        "explanations: n 8 instead of 24; without x of a; without b; explainers.a.samples 1 instead of 3",
        "decisions: n 1000 instead of all",
        "class maps: left out",
    ]
    assert left_out(asked, asked) == []


class Ear(Listener):
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.pages: list[str] = []

    def fitted(self, budget: float, lines: Any) -> None:
        self.lines += [f"{budget:g}", *lines]

    def drawn(self, page: Path) -> None:
        self.pages.append(page.read_text())


PROFILE = Profile("a test", {"first": Slow(n=64), "second": Slow(n=64)}, budget=101.0)


def _speed(_: Subject) -> Speed:
    return SPEED


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.audits.planning.speed_of", _speed)


@pytest.mark.usefixtures("slow")
def test_an_audit_keeps_to_its_time_says_so_and_goes_on_as_it_was(tmp_path: Path) -> None:
    ear = Ear()
    found = audits.audit([subject(64)], None, PROFILE, out=tmp_path, listener=ear)
    assert ear.lines == ["101", "first: n 32 instead of 64", "second: n 32 instead of 64"]
    (early,) = ear.pages
    assert "not done yet" in early
    page = found.page.read_text()
    assert "Left out to keep to 2 min" in page and "n 32 instead of 64" in page and "not done yet" not in page
    about = found.folder.about
    assert about["budget"]["asked"]["first"]["n"] == 64 and about["parts"]["first"]["n"] == 32
    again = Ear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pellucid.audits.planning.speed_of", lambda subject: pytest.fail("nothing is left to time"))  # pyright: ignore[reportUnknownLambdaType]
        found = audits.audit([subject(64)], None, PROFILE, out=tmp_path, listener=again)
    assert again.lines == ear.lines and found.folder.about["parts"] == about["parts"]
    with pytest.raises(MeasurementError, match="holds another audit"):
        audits.audit([subject(64)], None, replace(PROFILE, budget=0.0), out=tmp_path)


@pytest.mark.usefixtures("slow")
def test_without_a_budget_nothing_is_left_out(tmp_path: Path) -> None:
    ear = Ear()
    found = audits.audit([subject(64)], None, replace(PROFILE, budget=0.0), out=tmp_path, listener=ear)
    assert ear.lines == [] and "budget" not in found.folder.about
    assert found.folder.about["parts"]["first"]["n"] == 64 and "Left out" not in found.page.read_text()


@pytest.mark.parametrize(("sleep", "left"), [(500.0, "n 75 instead of 300"), (1000.0, "left out")])
def test_parts_to_come_get_lighter_where_one_overran(
    sleep: float, left: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pellucid.audits.fitting.time", CLOCK)
    monkeypatch.setattr("pellucid.audits.carrying_out.time", CLOCK)
    parts = {"first": Slow(n=1, sleep=sleep), "second": Slow(n=300)}
    profile, folder = Profile("a test", parts, budget=600.0), AuditFolder(tmp_path)
    quick = Speed(0.1, 0.0, 0.0)
    audits.begin([subject(300)], profile, folder, asked=profile)
    events = list(carry_out([subject(300)], profile, folder, deadline=deadline(600.0, quick, 300)))
    (lightened,) = [event for event in events if isinstance(event, Lightened)]
    assert lightened.lines == (f"second: {left}",)
    carried = [event.part for event in events if isinstance(event, Began)]
    about = folder.about["parts"]
    if left == "left out":
        assert carried == list(about) == ["first"]
    else:
        assert carried == ["first", "second"] and about["second"]["n"] == 75


@pytest.mark.parametrize(
    ("words", "seconds"), [("90s", 90.0), ("10m", 600.0), ("1h30m", 5400.0), ("none", 0.0), (None, 600.0)]
)
def test_budgets_in_words(words: str | None, seconds: float) -> None:
    assert chosen("quick", budget=words).budget == seconds


@pytest.mark.parametrize("words", ["", "10", "ten", "-5m", "0s", "1m1h", "9999999h", "1e3s", "٣m"])
def test_budgets_that_are_none(words: str) -> None:
    with pytest.raises(ConfigError) as error:
        chosen("quick", budget=words)
    assert str(error.value) == f"the budget '{words}' is no time; give one such as 90s, 10m or 1h30m, or none"


@pytest.mark.usefixtures("slow")
def test_a_requirement_that_the_time_is_too_short_for(tmp_path: Path) -> None:
    parts = {"robustness": Robust(n=12), "decisions": audits.Decided()}
    with pytest.raises(ConfigError) as error:
        audits.audit(
            [subject(64)],
            None,
            Profile("a test", parts, budget=2.0),
            out=tmp_path,
            required=["robust_accuracy(linf, 8/255) >= 0"],
        )
    assert str(error.value) == "2 s is too short for what is required; give a longer --budget, or none"
