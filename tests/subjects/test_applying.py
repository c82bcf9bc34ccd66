"""Which explainers apply, beside what happens when they are asked."""

import json
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from command import call, refused
from networks import linear, smooth
from pellucid import data, models, subjects
from pellucid.errors import PellucidError
from pellucid.evaluate.explanations import Passes, counted
from pellucid.explainers import EXPLAINERS, LRP, RISE, Explainer, GradCAM, Gradient, NormLime, Occlusion, named
from pellucid.explainers.lime import Grid, Lime
from pellucid.subjects import Applicability, applicability

NETWORKS = ("mlp", "simple-cnn", "vit")


def digits() -> Tensor:
    (batch,) = data.load("digits").test.batches([torch.arange(1)])
    return batch.x


@cache
def found(name: str) -> dict[str, Applicability]:
    train = data.load("digits").train.take(20)
    network = models.build(name, shape=(1, 8, 8)).eval()
    return {one.explainer: one for one in applicability(network, digits(), train=train)}


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_said_to_apply_applies_and_nothing_else(name: str) -> None:
    network, x = models.build(name, shape=(1, 8, 8)).eval(), digits()
    told = found(name)
    assert list(told) == list(EXPLAINERS)
    for method, one in told.items():
        explainer = named(method)
        try:
            ready = explainer.fit(network, x) if explainer.learns else explainer
            ready(network, x, "predicted")
        except PellucidError as error:
            assert one.why == str(error)
            assert one.passes is None
            assert one.seconds is None
        else:
            assert one.applies, one
            assert one.passes is not None
            assert one.seconds is not None and one.seconds > 0


def test_layers_rules_and_grids_are_named() -> None:
    convolutional, transformer, dense = found("simple-cnn"), found("vit"), found("mlp")
    assert convolutional["grad-cam"].reads == "the layer 'pool2': 64 features of 2 x 2 places"
    assert convolutional["layer-activation"].reads == convolutional["grad-cam"].reads
    assert transformer["attention-rollout"].reads == (
        "6 x attention of 3 heads, tokens on a grid of 2 x 2, and 1 beside it"
    )
    assert convolutional["lrp"].reads == (
        "the composite 'epsilon-plus': alpha-beta in 2 convolutions, epsilon in 2 dense layers"
    )
    assert transformer["lrp"].reads.endswith("rules of their own in layer_norm, matmul, softmax")
    assert dense["guided-backprop"].reads.endswith("ReLUs")
    assert convolutional["occlusion"].settings == ("window=4", "stride=2")
    assert dense["gradient"].reads == ""
    assert "puts out a map of features" in dense["grad-cam"].why


class Rows(nn.Module):
    """Counts the images that go through a network."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.rows = 0

    def forward(self, x: Tensor) -> Tensor:
        self.rows += len(x)
        return self.inner(x)


@pytest.mark.parametrize("explainer", [RISE(), Lime(), Lime(Grid()), RISE(masks=100_000)])
def test_dear_methods_are_not_paid_for(explainer: Explainer) -> None:
    network = Rows(smooth(size=8))
    (one,) = applicability(network, digits().double(), {"it": explainer})
    assert network.rows <= 2 + 3 * 64
    assert one.applies
    assert one.passes is not None
    assert one.passes.forwards == explainer.forwards(digits())
    assert one.notes == ()


@pytest.mark.parametrize("explainer", [Gradient(), LRP(), GradCAM(), Occlusion()])
def test_what_goes_to_the_end_is_counted_itself(explainer: Explainer) -> None:
    network, x = models.build("simple-cnn", shape=(1, 8, 8)).eval(), digits()
    with counted(network) as passes:
        explainer(network, x, "predicted")
    (one,) = applicability(network, x, {"it": explainer})
    assert one.passes == passes


def test_what_a_map_says_of_itself_is_passed_on() -> None:
    (one,) = applicability(linear(pixels=64), digits().double(), {"it": named("guided-backprop")})
    assert one.applies
    assert one.notes == (
        "the map is the plain gradient: no ReLU, or activation like it, was found to hold signals back at",
    )


def test_explainers_that_learn_say_what_that_takes_or_that_they_cannot() -> None:
    network, train = smooth(size=8), data.load("digits").train.take(30)
    explainer = NormLime(Lime(Grid(), masks=100))
    (one,) = applicability(network, digits(), {"normlime": explainer}, train=train)
    assert one.applies
    assert one.passes == Passes(1)
    assert one.learning is not None
    assert 30 * 100 <= one.learning.forwards <= 30 * 103
    assert one.learning_seconds > 0
    (none,) = applicability(network, digits(), {"normlime": explainer})
    assert none.why == "normlime learns from images of its own; give them with --data, in a folder 'train'"


class Blind(nn.Module):
    """A network without gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = smooth(size=8).float()

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            return self.inner(x)


def test_a_network_without_gradients_has_those_that_need_none() -> None:
    told = {one.explainer: one for one in applicability(Blind(), digits())}
    assert {name for name, one in told.items() if one.applies} >= {"occlusion", "rise", "lime"}
    assert "no gradient leads from the network's logits to its pixels" in told["gradient"].why


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16])
def test_networks_of_other_precision_are_as_in_single(kind: torch.dtype) -> None:
    network = models.build("simple-cnn", shape=(1, 8, 8)).eval()
    plain = {one.explainer: one.applies for one in applicability(network, digits())}
    assert {one.explainer: one.applies for one in applicability(network.to(kind), digits())} == plain


def test_a_network_that_takes_no_such_images_is_told_of_once_for_each() -> None:
    told = applicability(smooth(size=6), digits(), {"gradient": Gradient(), "rise": RISE()})
    assert [one.applies for one in told] == [False, False]
    assert all("failed on 1 image of 1x8x8" in one.why for one in told)


def test_the_command_tells_it_and_draws_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["explain", "simple-cnn", "--data", "digits", "--device", "cpu", "--what"]
    content = json.loads(call(*asked, "--json"))
    assert [one["explainer"] for one in content["explainers"]] == list(EXPLAINERS)
    rise = next(one for one in content["explainers"] if one["explainer"] == "rise")
    assert (rise["applies"], rise["forwards"], rise["backwards"]) == (True, 4001, 0)
    printed = call(*asked, "--explainer", "gradient,attention-rollout,normlime")
    assert "what applies, and what a map of an image takes" in printed
    assert "not attention-rollout: AttentionRollout reads by which weights" in printed
    assert "normlime learns from training images first: 100," in printed
    assert list(tmp_path.iterdir()) == []
    assert "no explainer is called 'nothing'" in refused(*asked, "--explainer", "nothing")


def test_the_summary_is_plain() -> None:
    one = Applicability("it", passes=Passes(3, 2), seconds=0.5, notes=("a note",), settings=("window=4",))
    (plain,) = subjects.applicability_summary([one, Applicability("other", why="no")])[:1]
    assert json.loads(json.dumps(plain)) == {
        "explainer": "it",
        "applies": True,
        "why": None,
        "reads": "",
        "settings": ["window=4"],
        "notes": ["a note"],
        "forwards": 3,
        "backwards": 2,
        "seconds": 0.5,
        "learning": None,
        "learning_seconds": 0.0,
    }
