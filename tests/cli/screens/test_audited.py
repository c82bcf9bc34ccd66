"""What the terminal shows of an audit."""

from dataclasses import asdict

import pytest

from pellucid.audits import Planned
from pellucid.cli.screens import audited
from pellucid.cli.screens.screen import Screen
from pellucid.metrics import Estimate

MODELS = [f"benchmarks/networks/digits/{name}-digits-simple-cnn-d9c579f6a4b1" for name in ("standard", "adversarial")]


def share(successes: int) -> dict[str, float]:
    return asdict(Estimate.proportion(successes, 100))


@pytest.mark.parametrize("width", [72, 120])
def test_the_first_column_and_intervals_are_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    name = "robust_accuracy(linf, 8/255)"
    figure = {"part": "robustness", "name": "robust_accuracy", "arguments": ["linf", "8/255"]}
    audited.report(
        Screen(),
        {
            "models": MODELS,
            "untrained": [],
            "data": {"source": "digits", "images": 100},
            "figures": [{**figure, "network": number, "estimate": share(93)} for number in range(2)],
            "verdicts": [],
            "failures": [{"model": MODELS[1], "part": "neurons", "failure": "no layers", "skipped": False}],
            "damaged": [],
            "requirements": [{"model": MODELS[0], "requirement": "accuracy > 1", "found": "0.93"}],
            "overruled": [],
            "unchecked": [],
            "page": "report.html",
        },
    )
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= width for line in lines)
    row = next(number for number, line in enumerate(lines) if name in line)
    found = " ".join(lines[row : row + 2])
    assert found.count("0.930") == 2 and found.count("(0.863 to 0.966)") == 2
    assert "adversarial-digits-simple-cnn, neurons: failed: no layers" in lines
    assert "required: accuracy > 1; standard-digits-simple-cnn: 0.93" in lines


def test_many_networks_stand_under_letters(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    names = [f"net-{number}" for number in range(6)]
    figure = {"part": "robustness", "name": "robust_accuracy", "arguments": ["linf", "8/255"]}
    content = {
        "models": names,
        "untrained": [],
        "data": {"source": "digits", "images": 100},
        "figures": [{**figure, "network": number, "estimate": share(90 + number)} for number in range(6)],
        "verdicts": [],
        "failures": [],
        "damaged": [],
        "requirements": [],
        "overruled": [],
        "unchecked": [],
        "page": "",
    }
    audited.report(Screen(), content)
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    row = next(line for line in lines if "robust_accuracy(linf, 8/255)" in line)
    assert row.split()[2:] == [f"0.9{number}0" for number in range(6)]
    assert [line.strip() for line in lines if "net-" in line] == [
        f"{'ABCDEF'[number]} {name}" for number, name in enumerate(names)
    ]


def test_a_plan_says_what_is_done_and_what_nobody_knows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    planned = [Planned(0, "decisions", 0.2), Planned(0, "gallery", 0.0), Planned(1, "decisions", 4.2)]
    audited.OnScreen(Screen(), ["one", "two"], "test", "audit").planned(planned, 3)
    said = capsys.readouterr().err
    assert "3 parts are done already" in said
    rows = {line.split()[0]: line.split()[1:] for line in said.splitlines() if line.startswith((" dec", " gal"))}
    assert rows == {"decisions": ["<", "1", "s", "4", "s"], "gallery": ["?", "done"]}
