"""Rules of the house that no linter knows."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))


random_calls = re.compile(r"torch\.(rand|randn|randint|randperm|bernoulli|normal)\((?!.*generator=)")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src" / "pellucid")))
def test_a_source_file_keeps_the_rules(path: Path) -> None:
    text = path.read_text()
    inner = path.relative_to(ROOT / "src" / "pellucid")
    assert len(text.splitlines()) <= 400, "one idea per file"
    assert path.stem not in {"utils", "util", "helpers", "common", "misc", "manager", "handler"}
    assert not random_calls.search(text), "randomness is passed"
    if inner.parts[0] not in (
        "cli",
        "console.py",
        "console_measure.py",
        "console_audit.py",
        "console_judge.py",
        "console_explain.py",
        "console_neurons.py",
        "console_normlime.py",
        "console_references.py",
        "console_retrain.py",
    ):
        assert not re.search(r"\bprint\(", text), "values go up, the command line speaks"
        assert "os.environ" not in text and "getenv" not in text, "the library reads no environment"
    # the latter transposes one operation, never a network
    if inner.as_posix() not in ("probe.py", "explain/propagation/transposing.py"):
        assert not re.search(r"^[^#\n]*= torch\.autograd\.grad\(", text, re.M), (
            "input gradients are taken in the probe only"
        )
    assert "from __future__ import annotations" not in text, "it would switch off the checks of shapes"
    assert not re.search(r"^import (torchvision|timm)|^from (torchvision|timm)", text, re.M)


def test_no_example_is_timed() -> None:
    assert settings().deadline is None
    assert HealthCheck.too_slow in settings().suppress_health_check
    timed = re.compile(r"settings\([^)]*deadline")
    assert not [str(path) for path in (ROOT / "tests").rglob("test_*.py") if timed.search(path.read_text())]


def test_what_is_listed_as_slow_is_there() -> None:
    listed = [line for line in (ROOT / "tests" / "slow.txt").read_text().splitlines() if not line.startswith("#")]
    assert len(set(listed)) == len(listed)
    for line in listed:
        file, *_, name = line.partition("[")[0].split("::")
        assert f"def {name}(" in (ROOT / file).read_text() or "::Test_" in line, line
