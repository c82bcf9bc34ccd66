"""What an audit says of robustness."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from audited_subject import subject
from pellucid import measure
from pellucid.attacks import PGD
from pellucid.audits import Robust, Task
from pellucid.audits.robust.part import written
from pellucid.data import TensorSplit, sequential
from pellucid.evaluate.explanations.passes import counted
from pellucid.subjects import Subject

SMALL = Robust(n=8, nearest=6, linf=(8 / 255, 0.2), l2=(0.5,), steps=3, nearest_steps=5, repeated=2)


def test_figures_are_those_that_were_announced_and_go_down(tmp_path: Path) -> None:
    heard: list[tuple[int, int, str]] = []
    task = Task(subject(), tmp_path, watch=lambda done, total, words: heard.append((done, total, words)))
    found = SMALL.carry_out(task)
    assert [(figure.name, figure.arguments) for figure in found.figures] == [
        (entry.name, entry.arguments) for entry in SMALL.announced()
    ]
    values = {str(figure): figure.estimate for figure in found.figures}
    small, large = values["robust_accuracy(linf, 8/255)"], values["robust_accuracy(linf, 0.2)"]
    assert small is not None and large is not None
    assert 1.0 >= small.value >= large.value >= 0.0
    assert small.n == 8
    assert heard[0][:2] == (8, 8) and heard[0][2].startswith("attacks, linf: accuracy ")
    assert [verdict.check for verdict in found.verdicts] == ["convergence", "convergence-below-chance"]
    assert {verdict.evidence["images"] for verdict in found.verdicts} == {2}
    curves = found.details.curves
    assert set(curves) == {"linf", "l2", "attack", "below_chance"}
    assert curves["linf"] == ((8 / 255, small.value), (0.2, large.value))
    for curve in curves.values():
        distances, standing = [at for at, _ in curve], [share for _, share in curve]
        assert distances == sorted(distances)
        assert standing == sorted(standing, reverse=True)


@pytest.mark.parametrize("turns", [20.0, 0.2], ids=["falls", "stands"])
def test_what_attacks_take_is_foretold_by_what_stands(turns: float, tmp_path: Path) -> None:
    own = subject(24)
    model = nn.Sequential(Wavy(turns), own.model)
    some = replace(own, model=model, split=relabeled(own, model))
    part = Robust(n=24, nearest=12, steps=10, nearest_steps=20, repeated=4)
    told = part.passes(some)
    with counted(model) as passes:
        part.carry_out(Task(some, tmp_path))
    assert 1 / 1.5 < told.backwards / passes.backwards < 1.5
    assert some.standing(0) == 1 and (some.standing(2 / 255) > 0.5) is (turns < 1)


class Wavy(nn.Module):
    """Images as waves of so many turns between black and white: the more, the nearer another image is."""

    def __init__(self, turns: float) -> None:
        super().__init__()
        self.turns = turns

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(2 * torch.pi * self.turns * x)


def relabeled(own: Subject, model: nn.Module) -> TensorSplit:
    (batch,) = own.split.batches(sequential(own.split, len(own.split)))
    return TensorSplit(batch.x, model(batch.x).argmax(1), own.split.classes)


class Surer(nn.Module):
    """A network whose cross-entropy is flat, since it is sure beyond what a float can tell."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return 1e6 * self.network(x)


def test_a_network_that_is_too_sure_to_be_climbed_falls_all_the_same(tmp_path: Path) -> None:
    plain = subject()
    surer = replace(plain, model=Surer(plain.model).eval())
    alone = measure(surer.model, Task(surer, tmp_path).some(8), PGD(eps=0.9, steps=20))
    assert alone.survived == alone.accuracy
    part = Robust(n=8, nearest=1, linf=(0.9,), l2=(), steps=20, nearest_steps=2, repeated=1)
    found = {
        owner.model: part.carry_out(Task(owner, tmp_path / type(owner.model).__name__)).figures[0].estimate
        for owner in (plain, surer)
    }
    one, other = found.values()
    assert one is not None and other is not None
    assert one.value == other.value < 0.5


def test_it_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    first = SMALL.carry_out(Task(subject(), tmp_path))
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")}
    assert SMALL.carry_out(Task(subject(), tmp_path)) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")} == files


@pytest.mark.parametrize(
    ("eps", "text"),
    [
        (8 / 255, "8/255"),
        (1 / 255, "1/255"),
        (0.5 / 255, "0.5/255"),
        (0.25, "0.25"),
        (0.5, "0.5"),
        (1.0, "1"),
        (8.5 / 255, "8.5/255"),
        (0.2, "0.2"),
        (0.3, "0.3"),
    ],
)
def test_budgets_are_written_as_papers_do(eps: float, text: str) -> None:
    assert written(eps) == text


@given(st.integers(1, 254))
def test_written_budgets_can_be_read(levels: int) -> None:
    numerator, _, denominator = written(levels / 255).partition("/")
    assert float(numerator) / float(denominator or 1) == pytest.approx(levels / 255, rel=1e-5)
