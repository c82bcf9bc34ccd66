"""What the terminal shows of an audit."""

import pytest

from audit.specimen import share_record
from pellucid.console_audit import AuditConsole

MODELS = [f"benchmarks/networks/digits/{name}-digits-simple-cnn-d9c579f6a4b1" for name in ("standard", "adversarial")]


@pytest.mark.parametrize("width", [72, 120])
def test_the_first_column_and_intervals_are_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    name = "robust_accuracy(linf, 8/255)"
    figure = {"part": "robustness", "name": "robust_accuracy", "arguments": ["linf", "8/255"]}
    AuditConsole().report(
        {
            "models": MODELS,
            "data": {"source": "digits", "images": 100},
            "figures": [{**figure, "network": number, "estimate": share_record(93, 100)} for number in range(2)],
            "verdicts": [],
            "failures": [{"model": MODELS[1], "part": "neurons", "failure": "no layers", "skipped": False}],
            "requirements": [{"model": MODELS[0], "requirement": "accuracy > 1", "found": "0.93"}],
            "page": "report.html",
        }
    )
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= width for line in lines)
    row = next(number for number, line in enumerate(lines) if name in line)
    found = " ".join(lines[row : row + 2])
    assert found.count("0.930") == 2 and found.count("(0.863 to 0.966)") == 2
    assert "adversarial-digits-simple-cnn, neurons: failed: no layers" in lines
    assert "required: accuracy > 1; standard-digits-simple-cnn: 0.93" in lines
