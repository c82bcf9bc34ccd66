"""`pellucid audit` and `pellucid report`, as a person calls them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from command import call, refused
from pellucid import audits, cli
from pellucid.audits import Decided, Figure, Finding, Part, Profile, Robust, Task
from pellucid.evaluate import Verdict
from pellucid.registry import Registry

MODEL = ["audit", "mlp", "--data", "digits", "--device", "cpu", "--n", "20", "--profile", "quick"]


@pytest.fixture(autouse=True)
def few_parts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A quick profile that is quicker."""
    parts: dict[str, Part] = {
        "decisions": Decided(),
        "robustness": Robust(n=4, nearest=4, steps=2, nearest_steps=2, repeated=1),
    }
    monkeypatch.setattr(audits, "PROFILES", Registry("profile", {"quick": Profile("a test", parts)}))
    monkeypatch.chdir(tmp_path)
    yield


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.cli, [*MODEL, *arguments], catch_exceptions=False)


def test_an_audit_ends_with_figures_and_a_page() -> None:
    result = run("--out", "out")
    assert result.exit_code == 0
    assert "robust_accuracy(linf, 8/255)" in result.stdout and "mlp" in result.stdout
    assert re.search(r"\d+ images: the test images of digits", result.stderr)
    assert "mlp, decisions: done in" in result.stderr
    assert "in all; stop it whenever you like" in result.stderr
    assert Path("out/report.html").exists()
    again = run("--out", "out")
    assert again.exit_code == 0 and again.stdout == result.stdout
    assert "2 parts are done already" in again.stderr


def test_a_report_needs_no_network() -> None:
    content = json.loads(call(*MODEL, "--json"))
    assert content["path"] == "audit" and content["models"] == ["mlp"]
    assert content["failures"] == content["requirements"] == []
    accuracy = content["figures"][0]
    assert accuracy["name"] == "accuracy" and accuracy["estimate"]["n"] == 20
    Path("audit/report.html").unlink()
    assert json.loads(call("report", "audit", "--json")) == content
    assert Path("audit/report.html").exists()
    assert "accuracy" in call("report", "audit")
    assert refused("report", "nowhere") == "nowhere holds no audit: No such file or directory"


@pytest.mark.parametrize(
    ("required", "status"),
    [
        (["accuracy >= 0%"], 0),
        (["accuracy >= 0", "robust_accuracy(linf, 8/255).high <= 100%"], 0),
        (["accuracy > 100%"], 3),
        (["accuracy >= 0", "accuracy.low > 0.99"], 3),
    ],
)
def test_requirements_decide_the_exit_code(required: list[str], status: int) -> None:
    result = run(*(word for text in required for word in ("--require", text)))
    assert result.exit_code == status
    assert ("required: " in result.stdout) is (status == 3)


def test_every_network_must_hold_what_is_required() -> None:
    result = run("lenet", "--require", "accuracy > 2", "--json")
    assert result.exit_code == 3
    content = json.loads(result.stdout)
    assert [entry["model"] for entry in content["requirements"]] == ["mlp", "lenet"]
    assert all(entry["requirement"] == "accuracy > 2.0" for entry in content["requirements"])


def test_an_unknown_figure_is_refused_before_the_audit() -> None:
    said = refused(*MODEL, "--require", "acuracy > 0.5")
    assert said.startswith(
        "no figure is called 'acuracy' (did you mean 'accuracy'?); known are accuracy, area(attack)"
    )
    assert not Path("audit").exists()


@pytest.mark.parametrize(("what", "fatal"), [("verdict", True), ("failure", False)])
def test_verdicts_and_failures_can_be_fatal(monkeypatch: pytest.MonkeyPatch, what: str, fatal: bool) -> None:
    verdict = Verdict("saturation", False, "all gradients are zero", {}, "take logits")

    def found(part: Decided, task: Task) -> Finding:
        return Finding(verdicts=(verdict,))

    def failing(part: Robust, task: Task) -> Finding:
        raise ValueError("[red]no gradients[/]")

    monkeypatch.setattr(Decided, "carry_out", found)
    assert run("--fail-on", what).exit_code == (3 if fatal else 0)
    assert run().exit_code == 0
    monkeypatch.setattr(Robust, "carry_out", failing)
    result = run("--out", "other", "--fail-on", "failure")
    assert result.exit_code == 3
    assert "saturation of mlp: all gradients are zero\n  take logits" in result.stdout
    assert "mlp, robustness: failed: ValueError: [red]no gradients[/]" in result.stdout


def test_a_stop_keeps_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(part: Robust, task: Task) -> Finding:
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr(Robust, "carry_out", interrupted)
        during.setattr("sys.argv", ["pellucid", *MODEL])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 130
    result = run()
    assert result.exit_code == 0
    assert "1 parts are done already" in result.stderr
    assert "decisions: done" not in result.stderr


def test_what_is_said_when_stopped(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(part: Any, task: Task) -> Finding:
        raise KeyboardInterrupt

    monkeypatch.setattr(Robust, "carry_out", interrupted)
    monkeypatch.setattr("sys.argv", ["pellucid", *MODEL])
    with pytest.raises(SystemExit):
        cli.main()
    said = capsys.readouterr().err
    assert "1 of 2 parts are done and kept in audit" in said
    assert said.endswith("stopped; the same command goes on where it was stopped\n")


def test_figures_that_nobody_has_a_value_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(part: Decided, task: Task) -> Finding:
        return Finding((Figure("accuracy", (), None),))

    monkeypatch.setattr(Decided, "carry_out", nothing)
    result = run("--require", "accuracy > 0")
    assert result.exit_code == 3
    assert "accuracy > 0.0; mlp: no image has a value" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mlp"], "'mlp' is no run, so it does not know its data; give --data"),
        (["mlp", "--size", "8"], "a run knows how its images are read; give --data to read others"),
        (["mlp", "--data", "digits", "--profile", "quik"], "no profile is called 'quik' (did you mean 'quick'?)"),
        (["mlp", "--data", "digits", "--require", "good"], None),
        (["mlp", "--data", "digits", "--profile", "quick", "--n", "0"], "n is 0; audit on 1 image or more"),
        (
            ["mlp", "--data", "digits", "--profile", "quick", "--explainer", "gradient"],
            "the profile 'quick' has no part that explains; leave the explainers out",
        ),
    ],
)
def test_what_cannot_be_audited(arguments: list[str], message: str | None) -> None:
    said = (
        refused("audit", *arguments, "--device", "cpu")
        if "--profile" in arguments
        else refused("audit", *arguments, "--profile", "quick", "--device", "cpu")
    )
    expected = "'good' is no requirement; write it as accuracy >= 0.9 or robust_accuracy(linf, 8/255).low >= 40%"
    assert said == (message or expected)
