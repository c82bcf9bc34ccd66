"""The example that `make demo` runs, on few images."""

import importlib
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from pellucid import audits
from pellucid.audits import (
    PROFILES,
    AuditFolder,
    Decided,
    Done,
    Event,
    Explained,
    Figure,
    Gradients,
    Part,
    Profile,
    Robust,
    auditing,
    carry_out,
    chosen,
)
from pellucid.evaluate.explanations import ImageAlignment, RandomSimilarity
from pellucid.explainers import Gradient
from pellucid.metrics import Estimate
from pellucid.reasons import Reasons
from pellucid.registry import Registry

EXAMPLES = Path(__file__).parents[2] / "examples"
METHODS = ("standard", "adversarial-training")
TRAINING = ("model.name=lenet", "recipe.batch=256", "recipe.epochs=1", "recipe.optimizer.lr=0.01")
PARTS: dict[str, Part] = {
    "decisions": Decided(),
    "robustness": Robust(n=4, nearest=4, linf=(0.1,), l2=(), steps=2, nearest_steps=2, repeated=1),
    "explanations": Explained({"gradient": Gradient()}, {"random-similarity": RandomSimilarity(draws=1)}, n=4),
    "gradients": Gradients({"image-alignment": ImageAlignment()}, n=4),
}


class Stopped(Exception):
    """As Ctrl-C would."""


def test_a_figure_without_a_value_has_its_reason_under_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    demo, reasons = importlib.import_module("demo"), Reasons()
    lost = Figure("random-similarity", ("gradient",), None, note="5 of 5 images have no value: the map is zero")
    assert demo.spread(lost, reasons) == "note 1"
    assert reasons.lines() == ["note 1: 5 of 5 images have no value: the map is zero"]
    assert demo.spread(Figure("accuracy", (), Estimate(0.5, 0.25, 0.75, 8)), reasons) == "0.50\n0.25-0.75"


@pytest.mark.slow
def test_the_demo_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    demo = importlib.import_module("demo")
    assert list(chosen("quick", demo.AUDIT).parts) == list(PROFILES["quick"].parts)
    monkeypatch.setattr(demo, "METHODS", METHODS)
    monkeypatch.setattr(audits, "PROFILES", Registry("profile", {"quick": Profile("a test", PARTS)}))

    def stopped(*arguments: Any, **more: Any) -> Generator[Event]:
        for event in carry_out(*arguments, **more):
            yield event
            if isinstance(event, Done) and event.part == "robustness":
                raise Stopped

    with monkeypatch.context() as during:
        during.setattr(auditing, "carry_out", stopped)
        with pytest.raises(Stopped):
            demo.main(tmp_path, TRAINING, (), n=8)
    runs = {path.parent.name for path in tmp_path.glob("*/spec.toml")}
    assert len(runs) == 2
    first = {path: path.stat().st_mtime_ns for path in (tmp_path / "audit").glob("*/*.json")}
    assert len(first) == 3, "decisions of both, robustness of the first"
    page = demo.main(tmp_path, TRAINING, (), n=8)
    assert page == tmp_path / "audit/report.html" and page.exists()
    folder = AuditFolder(tmp_path / "audit")
    assert folder.models == METHODS
    for number in range(len(METHODS)):
        outcomes = folder.outcomes(number)
        assert list(outcomes) == list(folder.parts)
        assert not [name for name, outcome in outcomes.items() if outcome.failure]
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "audit").glob("*/*.json")}
    assert first.items() <= kept.items(), "what was done is not done again"
    printed = capsys.readouterr().out
    assert all(method in printed for method in METHODS)
    assert str(page) in printed.replace("\n", "")
    demo.main(tmp_path, TRAINING, (), n=8)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "audit").glob("*/*.json")} == kept
    assert len((EXAMPLES / "demo.py").read_text().splitlines()) < 80
