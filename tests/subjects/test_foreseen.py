"""What explaining and judging will cost, beside what they do cost."""

import time
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
import torch
from click.testing import CliRunner, Result
from torch import nn

from command import call
from networks import images, linear, smooth
from pellucid import cli, data, models, reports, subjects
from pellucid.evaluate.explanations import Insertion, MaxSensitivity, Metric, Passes, Sparsity, counted, judge
from pellucid.evaluate.foreseen import passes_to_explain, passes_to_judge, passes_to_learn
from pellucid.explainers import (
    RISE,
    AttentionRollout,
    ExpectedGradients,
    Explainer,
    Gradient,
    IntegratedGradients,
    Lime,
    NormLime,
    Occlusion,
    Smooth,
    SmoothGrad,
)
from pellucid.explainers.lime import Grid
from pellucid.subjects import Shown
from pellucid.subjects.foreseen import WORTH_SAYING, Foreseen


def separately(*arguments: str) -> Result:
    """What a command prints, with what it says on standard error apart."""
    return CliRunner().invoke(cli.cli, arguments, catch_exceptions=False)


def shown(model: nn.Module, x: torch.Tensor, classes: int = 4) -> Shown:
    names = tuple(f"image {number}" for number in range(len(x)))
    logits = model(x).detach().float()
    return Shown("it", model, x, names, tuple(map(str, range(classes))), logits, None)


@pytest.mark.parametrize(
    "explainer",
    [
        Gradient(),
        SmoothGrad(samples=5),
        IntegratedGradients(steps=8, tolerance=float("inf")),
        Occlusion(),
        Occlusion(window=2, stride=1),
        RISE(masks=30),
        Lime(masks=200),
        Lime(Grid()),
        Smooth(Occlusion(), samples=3),
        Smooth(RISE(masks=7), samples=3, clean=True),
    ],
)
def test_passes_are_told_beforehand(explainer: Explainer) -> None:
    x, model = images(1, 1, 10, 12), linear(pixels=120)
    with counted(model) as passes:
        explainer(model, x, "predicted")
    assert passes_to_explain(explainer, x, 4) == passes


def test_what_hangs_on_the_network_is_not_told() -> None:
    assert passes_to_explain(AttentionRollout(), images(1, 1, 8, 8), 4) is None


def test_what_is_learned_is_counted_image_by_image() -> None:
    x, model = images(6, 1, 8, 8), smooth(size=8)
    explainer = NormLime(Lime(Grid(), masks=100))
    with counted(model) as passes:
        learned = explainer.fit(model, x)
    told = passes_to_learn(explainer, x[:1], 4, len(x))
    assert abs(told.forwards - passes.forwards) <= len(x), "which class each image is of"
    with counted(model) as passes:
        learned(model, x[:1], "predicted")
    assert passes_to_explain(explainer, x[:1], 4) == passes
    assert passes_to_learn(ExpectedGradients(), x[:1], 4, 100) == Passes()


@pytest.mark.parametrize("explainer", [Gradient(), Occlusion(), RISE(masks=40)])
def test_passes_of_judging_are_told_beforehand(explainer: Explainer) -> None:
    """Explainers of many passes are not asked for it, which would take as long as an image."""
    metrics: Mapping[str, Metric] = {"insertion": Insertion(10), "max-sensitivity": MaxSensitivity(draws=3)}
    digits = data.load("digits").test.take(3)
    model = models.build("mlp", shape=digits.shape)
    with counted(model) as passes:
        judge(model, digits, metrics, explainer=explainer)
    (batch,) = digits.batches([torch.arange(1)])
    told = passes_to_judge(metrics, explainer, batch.x, 10)
    assert told is not None
    assert told.forwards * 3 == pytest.approx(passes.forwards, rel=0.15), "images are black in part"
    assert told.backwards * 3 == passes.backwards


class Slow(nn.Module):
    """A network that takes long, and only counts how often it would have been asked."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.inner = smooth(size=8)
        self.seconds = seconds

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        time.sleep(self.seconds * len(x))
        return self.inner(x)


def test_seconds_are_those_of_the_network_and_what_is_short_is_not_said() -> None:
    x = images(2, 1, 8, 8)
    costs = subjects.cost_of_explaining(shown(Slow(0.01), x), [0, 1, 2], {"rise": RISE(), "gradient": Gradient()})
    rise, gradient = costs
    assert rise.each == Passes(4001)
    assert 6 * 4001 * 0.01 <= rise.seconds < 3 * 6 * 4001 * 0.01
    assert gradient.seconds < rise.seconds / 1000
    first, _, last = subjects.foreseen_in_words(costs)
    assert first.startswith("rise: 4,001 + 0 passes for each of 2 images and 3 classes, about ")
    assert last.endswith(" min in all")
    quick = subjects.cost_of_explaining(shown(smooth(size=8), x), ["predicted"], {"gradient": Gradient()})
    assert subjects.foreseen_in_words(quick) == []


def test_a_cost_in_words() -> None:
    cost = Foreseen("it", Passes(3, 2), 1, 1, Passes(1000), WORTH_SAYING)
    assert cost.words == "it: 3 + 2 passes for 1 image, 1,000 + 0 to learn, about 5 s"
    unknown = replace(cost, each=None, images=7, learning=Passes(), seconds=0.0)
    assert unknown.words == "it: passes that are not known for each of 7 images, under a second"


def test_classes_come_in_portions_and_each_has_its_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.subjects.explained._ROWS", 10)
    x, model = images(2, 1, 6, 6), smooth(classes=12)
    about, explainers = list(range(12)), {"gradient": Gradient(), "occlusion": Occlusion()}
    pictures = shown(model, x, 12)
    accounts = list(subjects.accounts(pictures, about, explainers))
    assert [one.portion for one in accounts] == 10 * [0] + 10 * [1] + 4 * [2], "10 maps of an explainer"
    assert {(one.explainer, one.asked) for one in accounts} == {
        (name, str(of)) for name in explainers for of in about
    }
    content = reports.write(tmp_path, pictures, iter(accounts), explainers, seed=0)
    assert [Path(sheet).name for sheet in content["sheets"]] == ["sheet.png", "sheet-2.png", "sheet-3.png"]
    assert content["sheet"] == content["sheets"][0]
    assert all(Path(sheet).is_file() for sheet in content["sheets"])
    assert len(content["explanations"]) == 2 * 12 * 2
    with numpy.load(tmp_path / "explanations.npz") as arrays:
        for one in accounts:
            assert numpy.array_equal(arrays[f"{one.explainer}/{one.asked}/map"], one.found.map.numpy())
        assert numpy.array_equal(arrays["x"], x.numpy())


def test_no_more_than_a_portion_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each map is gone before the next portion is made, but for its first."""
    monkeypatch.setattr("pellucid.subjects.explained._ROWS", 4)
    x = images(2, 1, 8, 8)
    pictures, explainers = shown(smooth(size=8), x), {"gradient": Gradient()}
    alive, most = list[weakref.ref[object]](), 0

    def followed() -> Iterator[subjects.Account]:
        nonlocal most
        for account in subjects.accounts(pictures, [0, 1, 2, 3, 0, 1, 2, 3], explainers):
            alive.append(weakref.ref(account.found))
            most = max(most, sum(one() is not None for one in alive))
            yield account

    reports.write(tmp_path, pictures, followed(), explainers, seed=0)
    assert len(alive) == 8
    assert most <= 3, "two of a portion, and the first of the next"


def test_much_on_the_disk_is_said() -> None:
    x = torch.zeros(8, 3, 224, 224)
    many = Shown("it", linear(), x, tuple("abcdefgh"), tuple(map(str, range(1000))), torch.zeros(8, 1000), None)
    assert subjects.maps_in_words(many, list(range(1000)), {"gradient": Gradient()}) == [
        "8,000 maps, which take 4.8 GB"
    ]
    assert subjects.maps_in_words(many, ["predicted"], {"gradient": Gradient()}) == []


def test_commands_say_it_before_they_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pellucid.subjects.foreseen.WORTH_SAYING", 0.0)
    network = ["mlp", "--data", "digits", "--device", "cpu", "--n", "2", "--explainer"]
    found = separately("explain", *network, "occlusion")
    assert "occlusion: 10 + 0 passes for each of 2 images, " in found.stderr
    judged = ["judge", *network, "gradient", "--metric", "insertion"]
    assert "gradient: " in separately(*judged).stderr
    assert separately(*judged).stderr.strip() == "", "of what is there already nothing is said"
    assert separately("judge", *network, "gradient", "--metric", "insertion,sparsity").stderr.count("passes") == 1
    assert isinstance(call("explain", *network, "gradient", "--json"), str)


def test_metrics_alone_and_maps_that_are_there_are_told_too() -> None:
    x = images(1, 1, 8, 8)
    found = passes_to_judge({"sparsity": Sparsity()}, None, x, 4)
    assert found is not None
    assert found.forwards <= 2
