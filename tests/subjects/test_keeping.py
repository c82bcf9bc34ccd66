"""Explanations that were stopped go on where they were, and come to the same files."""

from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from pellucid import cli
from pellucid.explainers import LRP, AdversarialExplanation, Explainer, Gradient, IntegratedGradients
from pellucid.subjects import Asked, Keeping, accounts, shown
from pellucid.subjects import explained as explaining
from pellucid.subjects.keeping import UNFINISHED


@pytest.fixture(autouse=True)
def keep_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explaining, "WORTH_KEEPING", -1.0)


@pytest.mark.parametrize(
    "explainer", [Gradient(), LRP(), IntegratedGradients(steps=4), AdversarialExplanation(steps=2)], ids=repr
)
def test_what_is_kept_comes_back_as_it_was(explainer: Explainer, tmp_path: Path) -> None:
    about = shown(Asked("simple-cnn", "digits", n=3), ())
    keeping = Keeping.of(tmp_path, about, 0)
    assert keeping.known(explainer, 2) is None
    (made,) = accounts(about, [2], {"a": explainer}, keeping=keeping)
    known = keeping.known(explainer, 2)
    assert known is not None and torch.equal(known.map, made.found.map) and torch.equal(known.of, made.found.of)
    assert known.notes == made.found.notes
    for one, other in ((known.image, made.found.image), (known.idle, made.found.idle)):
        assert (one is None) == (other is None)
        assert one is None or other is None or torch.equal(one, other)
    assert (known.completeness is None) == (made.found.completeness is None)
    if known.completeness is not None and made.found.completeness is not None:
        assert known.completeness.lost == made.found.completeness.lost


def test_nothing_is_taken_for_what_it_is_not(tmp_path: Path) -> None:
    about = shown(Asked("simple-cnn", "digits", n=3), ())
    keeping = Keeping.of(tmp_path, about, 0)
    list(accounts(about, [2], {"a": Gradient()}, keeping=keeping))
    assert keeping.known(Gradient(), 2) is not None
    assert keeping.known(Gradient(), 3) is None and keeping.known(Gradient(), "2") is None
    assert keeping.known(IntegratedGradients(steps=4), 2) is None
    others = [
        Keeping.of(tmp_path, about, 1),
        Keeping.of(tmp_path, shown(Asked("simple-cnn", "digits", n=4), ()), 0),
        Keeping.of(tmp_path, shown(Asked("mlp", "digits", n=3), ()), 0),
    ]
    assert all(other.known(Gradient(), 2) is None for other in others)
    (file,) = (tmp_path / UNFINISHED).glob("*.npz")
    file.write_bytes(file.read_bytes()[:-40])
    assert keeping.known(Gradient(), 2) is None  # damaged, so it is made again
    keeping.done()
    assert not (tmp_path / UNFINISHED).exists()


def test_a_command_that_was_stopped_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []
    whole = AdversarialExplanation.__call__
    words = ["explain", "simple-cnn", "--data", "digits", "--n", "2", "--explainer", "adversarial,gradient", "--of"]
    words += ["3,4,5", "--set", "adversarial.steps=2", "--out"]
    assert cli.run([*words, str(tmp_path / "whole")]) == 0

    def stopped(self: AdversarialExplanation, model: Any, x: Any, of: Any, **how: Any) -> Any:
        if of == 5 and 5 not in asked:
            asked.append(of)
            raise KeyboardInterrupt
        asked.append(of)
        return whole(self, model, x, of, **how)

    monkeypatch.setattr(AdversarialExplanation, "__call__", stopped)
    assert cli.run([*words, str(tmp_path / "stopped")]) == 130
    assert len(list((tmp_path / "stopped" / UNFINISHED).glob("*.npz"))) == 2
    assert cli.run([*words, str(tmp_path / "stopped")]) == 0
    assert asked == [3, 4, 5, 5]  # what was kept was not asked again
    assert not (tmp_path / "stopped" / UNFINISHED).exists()
    arrays = [numpy.load(tmp_path / name / "explanations.npz") for name in ("whole", "stopped")]
    assert arrays[0].files == arrays[1].files
    assert all(numpy.array_equal(arrays[0][name], arrays[1][name]) for name in arrays[0].files)
    own = [
        {path.name: path.read_bytes() for path in (tmp_path / name).glob("*.png")} for name in ("whole", "stopped")
    ]
    assert own[0] == own[1]
