"""Values that make no sense are refused with a remedy, whatever they are set on."""

import dataclasses
import importlib
import math
import re
from typing import Any

import pytest
import torch

from pellucid import Batch
from pellucid.attacks import DDN, FMN, PGD, DeepFool, GaussianBlur, GaussianNoise, Nearest, Shell, named
from pellucid.audits import Gallery, Neurons, Robust, chosen
from pellucid.cli.listing import REGISTRIES
from pellucid.data import PadCrop
from pellucid.errors import ConfigError, PellucidError
from pellucid.explainers import LRP, AdversarialExplanation, IntegratedGradients, SmoothGrad
from pellucid.metrics.agreement import SSIM
from pellucid.norms import L2
from pellucid.objectives import Adaptive, CrossEntropy, GradientNeighbor, Lipschitz, Ramp, UniformNeighbor
from pellucid.randomness import Noise
from pellucid.runs import DataSpec, build, table
from pellucid.train import SGD, Adam, AdamW, CosineSchedule, OneCycle, Recipe, StepSchedule, Watch

ENDLESS = {
    "fab.eps",
    "fab-untargeted.eps",
    "integrated-gradients.tolerance",
}  # where infinity means "no bound"
SIGNED = {"random-maps.seed", "DataSpec.split_seed"}
SHARES = {
    "momentum", "share", "keep", "ratio", "bias", "backward", "gamma", "tandem", "probability", "label_smoothing",
    "average", "validation", "collapse", "permute", "warmup", "final", "first", "factor", "rise", "over", "noise",
    "weight_decay",
}  # fmt: skip
LONGER = {"lrp.gamma", "adaptive.rise", "DataSpec.first"}  # names that are shares elsewhere


def known() -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [("Recipe", Recipe()), ("Watch", Watch()), ("DataSpec", DataSpec())]
    for place in REGISTRIES.values():
        module, _, name = place.partition(":")
        for kind, entry in getattr(importlib.import_module(module), name).items():
            if isinstance(entry, type) and dataclasses.is_dataclass(entry):
                try:
                    found.append((kind, entry()))
                except TypeError:
                    continue  # one that has to be told something
    return found


def numbers(value: Any) -> list[dataclasses.Field[Any]]:
    settings = [field for field in dataclasses.fields(value) if field.init]
    return [field for field in settings if type(getattr(value, field.name)) in (int, float)]


@pytest.mark.parametrize(("name", "value"), known(), ids=lambda one: one if isinstance(one, str) else "")
def test_no_number_may_be_absurd(name: str, value: Any) -> None:
    for field in numbers(value):
        place = f"{name}.{field.name}"
        absurd: list[float] = []
        if isinstance(getattr(value, field.name), float):
            absurd += [math.nan, -math.inf] + ([] if place in ENDLESS else [math.inf])
        if place not in SIGNED:
            absurd.append(-1)
        if field.name in SHARES and place not in LONGER:
            absurd.append(2.0)
        for bad in absurd:
            with pytest.raises(PellucidError) as caught:
                dataclasses.replace(value, **{field.name: bad})
            assert re.search(rf"\b{re.sub('_', '[_ ]', field.name)}\b", str(caught.value)), str(caught.value)
            assert ";" in str(caught.value), f"no remedy: {caught.value}"


STEP = (
    "PGD has step=10; a step is a share of eps, 2 at most, which crosses the ball, or 0 for 2.5 / steps; "
    "how many there are is said by steps"
)


def test_a_number_of_steps_is_no_length() -> None:
    with pytest.raises(ConfigError) as caught:
        named("pgd", assignments=["step=10"])
    assert str(caught.value) == STEP
    with pytest.raises(ConfigError) as caught:
        build(table("adversarial-training", assignments=["objective.cross-entropy.at.attack.step=10"]))
    assert str(caught.value) == f"objective.cross-entropy.at.attack: {STEP}"
    assert named("pgd", assignments=["step=2"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Shell(overshoot=500),
            "Shell has overshoot=500; a trajectory shorter than eps cannot reach the shell, and one longer "
            "than 100 eps leads nowhere else",
        ),
        (lambda: Shell(floor=1), "Shell has floor=1; it is a small number, such as 1e-8, or 0 for none"),
        (lambda: Shell(eps=8), "Shell has eps=8, more than the whole range of a pixel; did you mean 8/255?"),
        (lambda: Nearest(floor=1), "Nearest has floor=1; it is a small number, such as 1e-8, or 0 for none"),
        (
            lambda: Nearest(steps=2),
            "Nearest has trajectory=20 in 2 steps, each far longer than the whole range of a pixel; "
            "give a shorter one, or more steps",
        ),
        (
            lambda: DeepFool(overshoot=3),
            "DeepFool has overshoot=3; it is a share of the way, from 0 to 1",
        ),
        (
            lambda: GaussianNoise(sigma=25),
            "GaussianNoise has sigma=25, more than the whole range of a pixel; did you mean 25/255?",
        ),
        (
            lambda: GaussianNoise(sigma=300),
            "GaussianNoise has sigma=300, more than the whole range of a pixel; give 1 at most",
        ),
        (
            lambda: FMN(step=10),
            "FMN has step=10; it is a multiple of the ball's radius, 5 at most; how many steps there are is said by "
            "steps, and with published=true it is a length in L2",
        ),
        (
            lambda: DDN(radius=6),
            "DDN has radius=6; it is a multiple of the ball's radius, 5 at most; how many steps there are is said by "
            "steps, and with published=true it is a length in L2",
        ),
        (lambda: PGD(eps=300), "PGD has eps=300, more than the whole range of a pixel; give 1 at most"),
        (lambda: GaussianBlur(sigma=1e9), "GaussianBlur has sigma=1e+09; it is a number of pixels, 1000 at most"),
        (
            lambda: SmoothGrad(sigma=15),
            "Smooth has sigma=15; a deviation is 0 or more, in [0, 1] pixel units",
        ),
        (lambda: LRP(epsilon=5), "LRP has epsilon=5; denominators need a number above 0, 1 at most"),
        (
            lambda: IntegratedGradients(tolerance=5),
            "IntegratedGradients has tolerance=5; give a part of the rise, in (0, 1], or inf",
        ),
        (
            lambda: AdversarialExplanation(rho=2),
            "AdversarialExplanation has rho=2; a length is above 0, in [0, 1] pixel units",
        ),
        (
            lambda: AdversarialExplanation(overshoot=500),
            "AdversarialExplanation has overshoot=500; a trajectory shorter than rho cannot reach it, and one longer "
            "than 100 rho leads nowhere else",
        ),
        (
            lambda: SSIM(sigma=9),
            "ssim has sigma=9; give the width of a window in pixels, above 0 and at most its window of 7",
        ),
        (lambda: Ramp(math.inf), "end is inf; a weight is a finite number"),
        (lambda: math.nan * CrossEntropy(), "the weight of cross-entropy is nan; give a finite number"),
        (lambda: Adaptive(level=math.inf), "level is inf; an adaptive weight needs it above 0, and finite"),
        (
            lambda: Adaptive(gain=1000),
            "gain is 1000 with a rise of 1.0; a batch multiplies the weight by up to exp(gain * rise), so let the "
            "product lie in [0, 1] (0 for a fixed weight)",
        ),
        (lambda: Lipschitz(power=50), "power is 50; derivatives are raised to a power from 1 to 10"),
        (
            lambda: UniformNeighbor(eps=4),
            "eps is 4; a neighbor lies at a distance above 0, in [0, 1] pixel units",
        ),
        (
            lambda: GradientNeighbor(eps=4, sign=True),
            "eps is 4; a neighbor lies at a distance above 0, in [0, 1] pixel units",
        ),
        (lambda: SGD(lr=1e3), "SGD has lr=1000; a learning rate lies above 0, and at 10 at most"),
        (lambda: Adam(lr=10), "Adam has lr=10; a learning rate lies above 0, and at 1 at most"),
        (lambda: AdamW(lr=0), "AdamW has lr=0; a learning rate lies above 0, and at 1 at most"),
        (lambda: SGD(momentum=1), "SGD has momentum=1; it is the share of what was before, in [0, 1)"),
        (lambda: AdamW(weight_decay=5), "AdamW has weight_decay=5; it lies in [0, 1]"),
        (lambda: CosineSchedule(final=2), "final is 2; it is a share of the learning rate, in [0, 1]"),
        (lambda: OneCycle(first=2), "first is 2; it is a share of the learning rate, in [0, 1]"),
        (lambda: StepSchedule(factor=10), "factor is 10; it is a share of the learning rate, in [0, 1]"),
        (lambda: DataSpec(workers=-1), "workers is -1; give 0 or more"),
        (lambda: Robust(n=0), "n is 0; give 1 or more"),
        (lambda: Robust(linf=(8.0,)), "Robust has eps=8, more than the whole range of a pixel; did you mean 8/255?"),
        (lambda: Neurons(targets=0), "targets is 0; give 1 or more"),
        (
            lambda: Gallery(rho=(5.0,)),
            "Gallery has eps=5, more than the whole range of a pixel; did you mean 5/255?",
        ),
        (
            lambda: chosen("quick", ["robustness.steps=0"]),
            "robustness: steps is 0; give 1 or more",
        ),
    ],
)
def test_what_is_said_of_absurd_values(make: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == message


def test_a_weight_without_end_that_is_typed() -> None:
    with pytest.raises(ConfigError) as caught:
        build(table("standard", assignments=["objective.cross-entropy.weight=inf"]))
    assert str(caught.value) == "the weight of cross-entropy is inf; give a finite number"


def test_what_is_long_in_one_norm_is_short_in_another() -> None:
    assert AdversarialExplanation(rho=2, norm=L2()).rho == 2
    assert GradientNeighbor(eps=4).eps == 4
    assert Nearest(steps=2, norm=L2()).steps == 2


def test_a_shift_that_leaves_nothing_of_an_image() -> None:
    batch = Batch(torch.rand(2, 1, 8, 8), torch.tensor([0, 1]))
    message = "pad-crop has the pad 8, and a shift as long leaves nothing of images of 8x8; give less"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        PadCrop(8)(batch, Noise(0, batch.index))
    assert PadCrop(7)(batch, Noise(0, batch.index)).x.shape == batch.x.shape
