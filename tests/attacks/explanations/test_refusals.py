"""What attacks on explanations refuse, each in one clear line."""

import re

import pytest
import torch

from pellucid.attacks.explanations import Decorrelate, ExplanationAttack, Frame, TopK, Towards
from pellucid.batch import Batch
from pellucid.errors import ConfigError, NotFinite, PellucidError, ShapeError
from pellucid.explainers import EXPLAINERS, Gradient, Lime
from pellucid.metrics.agreement import Spearman
from pellucid.norms import L0, L2
from pellucid.testing.specimens import images, network


def batch() -> Batch:
    x, y = images(count=3)
    return Batch(x, y, {"towards": torch.zeros_like(x)})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"steps": 0}, "ExplanationAttack has steps=0; a search takes 1 step or more"),
        ({"eps": 0.0}, "ExplanationAttack has eps=0; a budget is a length above 0 in [0, 1] pixel units"),
        (
            {"step": -1.0},
            "ExplanationAttack has step=-1; a step is a share of eps, 2 at most, "
            "which crosses the ball, or 0 for 4 / steps; how many there are is said by steps",
        ),
        ({"restarts": 0}, "ExplanationAttack has restarts=0; it starts 1 time or more"),
        (
            {"gamma": 0.0},
            "ExplanationAttack has gamma=0; it is the aim's part of the loss, above 0 and at most 1",
        ),
        ({"softplus": -1.0}, "ExplanationAttack has softplus=-1; it is a beta above 0, or 0 for none"),
        ({"keep": "labels"}, "ExplanationAttack has keep='labels' (did you mean 'label'?)"),
        ({"optimizer": "adm"}, "ExplanationAttack has optimizer='adm' (did you mean 'adam'?)"),
        ({"sign": "none"}, "ExplanationAttack has sign='none' (there are: absolute, positive, signed)"),
        (
            {"norm": L0()},
            "ExplanationAttack steps along all pixels at once, not in l0; take linf, l2, rms or l1",
        ),
        (
            {"last": True, "keep": "label"},
            "ExplanationAttack has last=True, where the label may be lost; leave that out, or keep='logits'",
        ),
        (
            {"explainer": Lime()},
            "maps of Lime cannot be differentiated, so no search can follow them; "
            "take gradient, smoothgrad, integrated-gradients, guided-backprop, lrp or grad-cam",
        ),
    ],
)
def test_settings_that_make_no_attack_are_refused(changed: dict[str, object], message: str) -> None:
    attack = ExplanationAttack(Gradient())
    for name, value in changed.items():
        object.__setattr__(attack, name, value)  # past the checks of types that tests run under
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        attack.__post_init__()


def test_explainers_that_the_refusal_names_can_be_attacked() -> None:
    with pytest.raises(ConfigError) as caught:
        ExplanationAttack(Lime())
    named = re.split(", | or ", str(caught.value).partition("; take ")[2])
    assert len(named) == 6
    assert all(EXPLAINERS[name]().differentiable for name in named)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Frame(-1), ConfigError, "frame has width=-1; give a number of places, or 0 for 5/32 of the side"),
        (lambda: TopK(1.0), ConfigError, "top-k has share=1; it is a part of all places, between 0 and 1"),
        (
            lambda: Decorrelate(Spearman()),
            ConfigError,
            "decorrelate has a similarity of Spearman, which steps where it changes and has no slope; "
            "take Pearson or Cosine",
        ),
        (
            lambda: ExplanationAttack(Gradient(), Frame(3))(network(), batch().x, 0),
            ShapeError,
            "a frame of width 3 leaves nothing inside maps of 6 x 6; give less",
        ),
        (
            lambda: ExplanationAttack(Gradient(), Towards("map")).on(network(), batch()),
            ShapeError,
            "this batch has no column 'map' (there are: towards); attach one with split.with_column('map', tensor)",
        ),
        (
            lambda: ExplanationAttack(Gradient(), Towards()).on(
                network(), batch().with_column("towards", torch.ones(3, 2))
            ),
            ShapeError,
            "the column 'towards' holds maps of (2,); give one of (6, 6) for each image",
        ),
        (
            lambda: ExplanationAttack(Gradient(), Towards()).on(
                network(), batch().with_column("towards", torch.full((3, 6, 6), torch.nan))
            ),
            NotFinite,
            "the column 'towards' holds NaN or infinite values; give maps of numbers",
        ),
        (
            lambda: ExplanationAttack(Gradient())(network(), batch().x, "label"),
            ConfigError,
            "of is 'label'; give a class, a class for each image, 'predicted' or 'runner-up'",
        ),
        (
            lambda: ExplanationAttack(Gradient())(network(), batch().x[:0], 0),
            ShapeError,
            "this batch has no images; an attack needs one or more",
        ),
        (
            lambda: ExplanationAttack(Gradient(), eps=7, norm=L2())(network(), batch().x, 0),
            ConfigError,
            "ExplanationAttack has eps=7; images of this size are at most 6 apart",
        ),
    ],
)
def test_what_cannot_be_aimed_for_is_refused(make: object, error: type[PellucidError], message: str) -> None:
    assert callable(make)
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        make()
