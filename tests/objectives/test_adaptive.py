"""The controller of Woods et al. (2019), against traces worked out by hand and the states of published networks."""

import math
import re
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from networks import images, smooth
from pellucid import models
from pellucid.attacks import Nearest
from pellucid.batch import Batch
from pellucid.data import load
from pellucid.errors import ConfigError
from pellucid.objectives import Adaptive, Attacked, CrossEntropy, GradientNorm, Lipschitz, Objective, Weighted
from pellucid.probe import Probe
from pellucid.train import Checkpoints, Epoch, Recipe, fit

NETWORK = smooth()
X = images(6, 1, 6, 6)
Y = NETWORK(X).argmax(1)  # as the network answers: where it is wrong already, the attack leaves images as they are
PLACE = Attacked(Nearest(steps=3, trajectory=0.1, momentum=0, keep="last"), share=0.5)
SMALL = load("digits").train.take(200)


def fed(weight: Adaptive, *losses: float) -> list[float]:
    return [float(weight.step(torch.tensor(loss, dtype=torch.float64))) for loss in losses]


def test_half_the_level_adds_ln_2_at_each_batch() -> None:
    weight = Adaptive()
    trace = fed(weight, *[0.75] * 5)
    assert trace == pytest.approx([220 * 2 ** (0.02 * n) for n in range(1, 6)], rel=1e-12)
    assert trace[1] / trace[0] == pytest.approx(1.01396, abs=1e-5)
    assert float(weight.integral) == pytest.approx(5 * math.log(2))


def test_above_the_level_it_rests_at_its_start_or_falls_slowly() -> None:
    rested, risen = Adaptive(), Adaptive()
    assert fed(rested, 3, 3, 3) == [220, 220, 220]
    assert float(rested.integral) == 0
    fed(risen, 0.75)
    fed(risen, 3, 3)
    assert float(risen.integral) == pytest.approx(math.log(2) - 0.02)
    fed(risen, *[3] * 100)
    assert float(risen.integral) == 0


def test_far_below_the_level_it_adds_1_at_each_batch() -> None:
    weight = Adaptive()
    assert fed(weight, 0.55, 0.1, 0) == pytest.approx([220 * math.exp(0.02 * n) for n in (1, 2, 3)], rel=1e-12)


@pytest.mark.parametrize(("integral", "published"), [(208.51202, 14240.8), (251.69742, 33778.4)])
def test_the_states_of_the_published_networks_give_their_weights(integral: float, published: float) -> None:
    weight = Adaptive()
    weight.integral = torch.tensor(integral, dtype=torch.float64)
    assert fed(weight, 1.5)[0] == pytest.approx(published, abs=0.05)


@given(st.lists(st.floats(1e-6, 100), max_size=30))
def test_it_never_moves_faster_than_it_may(losses: list[float]) -> None:
    weight = Adaptive()
    before = 220.0
    for now in fed(weight, *losses):
        assert 220 <= now
        assert before * math.exp(-0.0002) * (1 - 1e-12) <= now <= before * math.exp(0.02) * (1 + 1e-12)
        before = now


def test_without_gain_it_is_a_fixed_weight() -> None:
    assert fed(Adaptive(start=7, gain=0), 0.1, 0.1, 5) == [7, 7, 7]
    with pytest.raises(
        ConfigError,
        match=re.escape(
            "gain is -1 with a rise of 1.0; a batch multiplies the weight by up to exp(gain * rise), so let the "
        ),
    ):
        Adaptive(gain=-1)


def stepped(objective: Objective) -> tuple[float, float]:
    losses = objective.losses(Probe(NETWORK, Batch(X, Y), seed=2))
    (weight,) = objective.adaptive
    return float(weight.integral), float(losses.values["cross-entropy"].detach())


@pytest.mark.parametrize("penalty", [1.0, 1000.0])
def test_the_penalty_is_no_part_of_what_is_watched(penalty: float) -> None:
    for objective in (
        CrossEntropy() + Adaptive(start=penalty, level=10) * Lipschitz(),
        Adaptive(start=penalty, level=10) * Lipschitz() + CrossEntropy(),
    ):
        integral, loss = stepped(objective)
        assert integral == pytest.approx(min(1, math.log(10 / loss)))
        assert loss == pytest.approx(float(Probe(NETWORK, Batch(X, Y)).losses.mean().detach()))


def test_the_loss_that_is_watched_may_be_at_attacked_images() -> None:
    clean = stepped(CrossEntropy() + Adaptive(level=2) * Lipschitz())
    attacked = stepped((CrossEntropy() + Adaptive(level=2) * Lipschitz()).at(PLACE))
    mixed = stepped(CrossEntropy().at(PLACE) + Adaptive(level=2) * Lipschitz())
    assert attacked[1] > clean[1]
    assert attacked == mixed == pytest.approx((math.log(2 / attacked[1]), attacked[1]))
    second = CrossEntropy() + CrossEntropy().at(PLACE) + Adaptive(level=2, watch="cross-entropy-2") * Lipschitz()
    assert stepped(second) == pytest.approx((attacked[0], clean[1]))


def test_terms_multiplied_by_one_weight_each_have_their_own() -> None:
    weight = Adaptive(level=10)
    objectives = (
        CrossEntropy() + weight * (Lipschitz() + GradientNorm()),
        CrossEntropy() + weight * Lipschitz() + weight * GradientNorm(),
    )
    for objective in objectives:
        losses = objective.losses(Probe(NETWORK, Batch(X, Y)))
        once = min(1, math.log(10 / float(losses.values["cross-entropy"].detach())))
        assert [float(own.integral) for own in objective.adaptive] == pytest.approx([once, once])
    assert float(weight.integral) == 0
    scaled = (3 * (weight * Lipschitz())).terms[0]
    assert isinstance(scaled, Weighted) and isinstance(scaled.weight, Adaptive) and scaled.weight.start == 660


@pytest.mark.filterwarnings("ignore:the term [a-z-]* added")
@pytest.mark.parametrize("place", [None, PLACE], ids=["clean", "attacked"])
def test_a_training_that_was_stopped_goes_on_with_the_same_weight(tmp_path: Path, place: Attacked | None) -> None:
    objective = CrossEntropy() + Adaptive(level=3, start=0.1, gain=0.1) * Lipschitz()
    objective = objective if place is None else objective.at(place)
    recipe = Recipe(epochs=4, batch=50)

    def trained(stop: int, checkpoints: Checkpoints | None) -> tuple[nn.Module, list[Epoch]]:
        model = models.build("mlp", shape=(1, 8, 8), hidden=(20,), activation="half-huber")
        epochs: list[Epoch] = []
        for epoch in fit(model, SMALL, objective, recipe, seed=3, checkpoints=checkpoints):
            epochs.append(epoch)
            if len(epochs) == stop:
                break
        return model, epochs

    whole, undisturbed = trained(4, None)
    trained(2, Checkpoints(tmp_path))
    state, _ = Checkpoints(tmp_path).latest()
    assert state is not None and float(state["adaptive"][0]) > 0.5
    resumed, later = trained(4, Checkpoints(tmp_path))
    assert [(epoch.terms, epoch.weights) for epoch in later] == [
        (epoch.terms, epoch.weights) for epoch in undisturbed[2:]
    ]
    assert undisturbed[3].weights["lipschitz"] > undisturbed[0].weights["lipschitz"] > 0.1
    for ours, theirs in zip(resumed.state_dict().values(), whole.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)
