"""Whether a requirement holds hangs on the checks of its figure, too."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from audited_subject import subject
from pellucid import cli
from pellucid.audits import (
    AuditFolder,
    Checked,
    Decided,
    Figure,
    Profile,
    Requirement,
    Robust,
    carry_out,
    gate,
    write_gate,
)
from pellucid.audits.finding import Finding
from pellucid.audits.gating import bears_on
from pellucid.audits.part import Part, Task
from pellucid.cli.screens.audited import report
from pellucid.cli.screens.screen import Screen
from pellucid.errors import MeasurementError
from pellucid.evaluate import Verdict
from pellucid.evaluate.robustness.checks import CHECKS
from pellucid.metrics import Estimate
from pellucid.reports import page

MODEL = ("audit", "mlp", "--data", "digits", "--n", "20", "--profile", "quick", "--json")


def verdict(check: str, passed: bool) -> Verdict:
    return Verdict(check, passed, "so it was seen", {}, "do it otherwise")


def finding(found: Finding) -> Callable[[Part, Task], Finding]:
    def carry_out(_part: Part, _task: Task) -> Finding:
        return found

    return carry_out


def audited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verdicts: tuple[Verdict, ...], *, checks: bool = True
) -> AuditFolder:
    """An audit whose checks say what they are told."""
    monkeypatch.setattr(Checked, "carry_out", finding(Finding(verdicts=verdicts)))
    figure = Figure("robust_accuracy", ("linf", "8/255"), Estimate(0.4, 0.3, 0.5, 100))
    monkeypatch.setattr(Robust, "carry_out", finding(Finding((figure,))))
    parts: dict[str, Part] = {"decisions": Decided(), "robustness": Robust()}
    folder = AuditFolder(tmp_path / "audit")
    list(carry_out([subject()], Profile("some", parts | ({"checks": Checked()} if checks else {})), folder))
    return folder


ROBUST = Requirement.parse("robust_accuracy(linf, 8/255) >= 0")
ACCURACY = Requirement.parse("accuracy >= 0")


@pytest.mark.parametrize("check", CHECKS)
def test_a_failed_check_of_a_figure_fails_what_is_required_of_it(
    check: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = audited(tmp_path, monkeypatch, (verdict(check, False), verdict("randomness", True)))
    found = gate(folder, [ROBUST, ACCURACY])
    short = [one.requirement for one in found.short]
    assert (ROBUST in short) == bears_on(check, "robust_accuracy", ("linf", "8/255"))
    assert (ACCURACY in short) == bears_on(check, "accuracy")
    assert all(one.found == f"the check '{check}' failed: so it was seen" for one in found.short)
    assert not found.overruled and not found.unchecked
    allowed = gate(folder, [ROBUST, ACCURACY], allow_failed_checks=True)
    assert not allowed.short and allowed.overruled == found.short
    assert gate(folder, [Requirement.parse("accuracy > 1")], allow_failed_checks=True).short


def test_every_check_bears_on_something() -> None:
    figures = [("accuracy", ()), ("loss", ()), ("robust_accuracy", ("l2", "1")), ("area", ("attack",))]
    assert all(any(bears_on(check, *figure) for figure in figures) for check in CHECKS)
    assert all(bears_on(check, "robust_accuracy") for check in CHECKS if check != "convergence")
    assert bears_on("convergence", "area", ("attack",)) and not bears_on("convergence", "area", ("below_chance",))
    assert bears_on("of-a-plug-in", "insertion", ("gradient",))


def test_checks_that_passed_or_do_not_apply_say_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = audited(tmp_path, monkeypatch, (verdict("randomness", True),))
    assert gate(folder, [ROBUST, ACCURACY]) == gate(folder, ())


def test_where_no_check_was_made_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = audited(tmp_path, monkeypatch, (), checks=False)
    found = gate(folder, [ROBUST])
    assert not found.short
    assert [one.found for one in found.unchecked] == ["no check of this figure was made"]
    write_gate(folder, found)
    assert "mine: robust_accuracy(linf, 8/255) &gt;= 0.0 holds; no check of this figure was made" in page(folder)


def test_checks_that_failed_to_be_made_are_no_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(part: Checked, task: Task) -> Finding:
        raise MeasurementError("out of luck")

    folder = audited(tmp_path, monkeypatch, ())
    monkeypatch.setattr(Checked, "carry_out", broken)
    folder = AuditFolder(tmp_path / "other")
    list(carry_out([subject()], Profile("some", {"decisions": Decided(), "checks": Checked()}), folder))
    (short,) = gate(folder, [ACCURACY]).short
    assert short.found == "the checks of 'checks' could not be made: MeasurementError: out of luck"
    assert gate(folder, [ACCURACY], allow_failed_checks=True).overruled == (short,)


def test_without_labels_checks_do_not_apply(tmp_path: Path) -> None:
    folder = AuditFolder(tmp_path / "audit")
    list(carry_out([subject(labeled=False)], Profile("some", {"checks": Checked()}), folder))
    assert gate(folder, [Requirement.parse("insertion(gradient) > 0")]).short[0].found.startswith("no figure")


def test_the_terminal_says_what_was_overruled_and_not_checked(capsys: pytest.CaptureFixture[str]) -> None:
    overruled = {"model": "mine", "requirement": "accuracy > 0", "found": "the check 'x' failed: so"}
    unchecked = {"model": "mine", "requirement": "loss > 0", "found": "no check of this figure was made"}
    content = {
        "models": ["mine"],
        "untrained": [],
        "data": {"source": "digits", "images": 100},
        **{name: [] for name in ("figures", "verdicts", "failures", "damaged", "requirements")},
        "overruled": [overruled],
        "unchecked": [unchecked],
        "page": "",
    }
    report(Screen(), content)
    lines = capsys.readouterr().out.splitlines()
    said = "overruled: accuracy > 0 of mine holds, but the check 'x' failed: so; --allow-failed-checks lets it pass"
    assert said in lines
    assert "loss > 0 of mine holds; no check of this figure was made" in lines


@pytest.mark.slow
def test_the_command_fails_passes_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    told = (verdict("stronger-attack", False),)
    monkeypatch.setattr(Checked, "carry_out", finding(Finding(verdicts=told)))
    figure = Figure("robust_accuracy", ("linf", "8/255"), Estimate(0.4, 0.3, 0.5, 100))
    monkeypatch.setattr(Robust, "carry_out", finding(Finding((figure,))))

    def run(*more: str) -> Result:
        settings = ("--set", "explanations.n=2", "--set", "gradients.n=2", "--set", "neurons.n=10")
        return CliRunner().invoke(cli.cli, [*MODEL, *settings, *more], catch_exceptions=False)

    required = ("--require", "robust_accuracy(linf, 8/255) >= 0")
    failed = run(*required)
    assert failed.exit_code == 3
    content = json.loads(failed.stdout)
    assert content["requirements"][0]["found"] == "the check 'stronger-attack' failed: so it was seen"
    allowed = run(*required, "--allow-failed-checks")
    assert allowed.exit_code == 0
    content = json.loads(allowed.stdout)
    assert content["requirements"] == [] and content["overruled"][0]["model"] == "mlp"
    assert "but the check" in Path(content["page"]).read_text()
