"""What an audit says of decisions."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from audited_subject import CLASSES, subject
from pellucid.audits import Decided, Finding, Task
from pellucid.audits.decided.details import Confused
from pellucid.audits.decided.section import DecidedSection
from pellucid.audits.section import Found
from pellucid.data import TensorSplit
from pellucid.evaluate import Decisions
from pellucid.page import Album, Network
from pellucid.subjects import Subject


class Told(nn.Module):
    """The class that the first pixel says, with one logit of this size."""

    def __init__(self, logit: float) -> None:
        super().__init__()
        self.logit = logit

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.one_hot((x[:, 0, 0, 0] * 255).round().long(), 4).float() * self.logit


def told(says: list[int], y: list[int], *, logit: float = 5.0) -> Subject:
    pixels = torch.zeros(len(says), 1, 2, 2, dtype=torch.uint8)
    pixels[:, 0, 0, 0] = torch.tensor(says)
    return Subject("told", Told(logit), "made up", TensorSplit(pixels, torch.tensor(y), CLASSES))


def finding(subject: Subject, place: Path, **settings: Any) -> Finding:
    return Decided(**settings).carry_out(Task(subject, place))


def test_accuracy_mistakes_and_confusion(tmp_path: Path) -> None:
    found = finding(told([0, 0, 1, 1, 1, 3], [0, 0, 1, 0, 0, 1]), tmp_path)
    values = {str(figure): figure.estimate for figure in found.figures}
    assert values["accuracy"] is not None and values["accuracy"].value == 0.5
    details = found.details
    assert details.mistakes == (Confused("ant", "bee", 2), Confused("bee", "dog", 1))
    assert details.confusion == ((2, 2, 0, 0), (0, 1, 0, 1), (0, 0, 0, 0), (0, 0, 0, 0))
    assert sum(map(sum, details.confusion)) == 6
    assert [entry.name for entry in details.classes] == list(CLASSES)
    by_class = [entry.accuracy and entry.accuracy.value for entry in details.classes]
    assert by_class == [0.5, 0.5, None, None]
    assert [entry.note for entry in details.classes] == ["", "", *["no image of this class"] * 2]
    assert len(Decisions.load(tmp_path / "decisions.npz")) == 6


def test_a_network_that_is_always_right_is_as_sure_as_it_says(tmp_path: Path) -> None:
    found = finding(told([0, 1, 2, 3], [0, 1, 2, 3], logit=60.0), tmp_path)
    for figure in found.figures[1:]:
        assert figure.better == "lower"
        assert figure.estimate is not None and figure.estimate.value == pytest.approx(0.0, abs=1e-9)
    assert found.details.mistakes == ()


def test_figures_are_those_that_were_announced(tmp_path: Path) -> None:
    part = Decided(n=5)
    found = part.carry_out(Task(subject(), tmp_path))
    assert [(figure.name, figure.arguments) for figure in found.figures] == [
        (entry.name, entry.arguments) for entry in part.announced()
    ]
    assert all(figure.estimate is not None and figure.estimate.n == 5 for figure in found.figures)
    assert part.passes(subject()).forwards == 5
    assert Decided().passes(subject()).forwards == 12


def test_a_thousand_classes_have_no_table(tmp_path: Path) -> None:
    few = subject()
    assert isinstance(few.split, TensorSplit)
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 1000))
    names = tuple(map(str, range(1000)))
    many = replace(few, model=model, split=replace(few.split, classes=names))
    found = finding(many, tmp_path)
    assert found.details.confusion == ()
    assert len(found.details.classes) == 1000


def test_of_a_thousand_classes_the_page_shows_those_that_have_images(tmp_path: Path) -> None:
    about = told([0, 1, 2, 3], [0, 1, 2, 1])
    assert isinstance(about.split, TensorSplit)
    named = replace(about.split, classes=tuple(f"class {number}" for number in range(1000)))
    network = Network(0, "told", "told", "0", tmp_path)
    model = nn.Sequential(about.model, nn.ZeroPad1d((0, 996)))
    own = finding(replace(about, model=model, split=named), tmp_path)
    shown = DecidedSection().shown(Found("decisions", 0, (network,), (own,)), Album(1000))
    assert [row.name for row in shown.classes] == ["class 0", "class 1", "class 2"]
    assert shown.without_image == 997
    few = DecidedSection().shown(Found("decisions", 0, (network,), (finding(about, tmp_path),)), Album(1000))
    assert [row.name for row in few.classes] == list(CLASSES) and few.without_image == 0
