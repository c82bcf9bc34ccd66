import re
from dataclasses import dataclass

import pytest
import torch
from torch import nn

import pellucid
from networks import Counting, images, smooth
from pellucid import config
from pellucid.attacks import PGD, GaussianNoise, HighestLoss, LowestLoss, RandomPoint
from pellucid.batch import Batch
from pellucid.errors import ConfigError
from pellucid.objectives import (
    Align,
    Attacked,
    CrossEntropy,
    Divergence,
    GradientNorm,
    LocalCosine,
    LocalDistance,
    Objective,
    Term,
)
from pellucid.probe import Probe

NETWORK = smooth()
X, Y = images(6, 1, 6, 6), torch.tensor([0, 1, 2, 3, 0, 1])
ATTACK = PGD(eps=0.1, steps=3, goal=HighestLoss())


def look(network: nn.Module = NETWORK, seed: int = 0) -> Probe:
    return Probe(network, Batch(X, Y), seed=seed)


def test_attacked_images_lie_in_the_ball_and_have_a_higher_loss() -> None:
    clean = look()
    attacked = Attacked(ATTACK).probe(clean)
    assert float((attacked.x - X).abs().max().detach()) <= 0.1 + 1e-6
    assert bool((attacked.losses > clean.losses).all())


def test_a_term_can_look_at_attacked_images() -> None:
    clean = look()
    objective = CrossEntropy() + 0.5 * CrossEntropy().at(ATTACK)
    expected = clean.losses.mean() + 0.5 * Attacked(ATTACK).probe(clean).losses.mean()
    assert torch.allclose(objective(look()), expected)
    assert objective.names == ("cross-entropy", "cross-entropy-2")


@dataclass(frozen=True)
class Forwards(Term):
    """How many passes the probe has taken."""

    def __call__(self, probe: Probe) -> torch.Tensor:
        probe.logits  # noqa: B018
        return torch.tensor(float(probe.forwards))


def test_terms_at_equal_places_share_one_search_and_one_pass() -> None:
    clean = look()
    one, two = Attacked(PGD(eps=0.1, steps=2)), Attacked(PGD(eps=0.1, steps=2))
    assert one.probe(clean) is two.probe(clean)
    assert one.probe(clean) is not Attacked(PGD(eps=0.2, steps=2)).probe(clean)
    losses = (Forwards().at(one) + GradientNorm().at(two) + Forwards().at(two)).losses(clean)
    assert [float(losses.values[name]) for name in ("forwards", "forwards-2")] == [1, 1]
    assert clean.forwards == 0, "no term looks at the clean images, so nothing is spent on them"


def test_three_methods_in_one_objective_look_once_at_each_point() -> None:
    network = Counting(smooth())
    attack = PGD(eps=0.1, steps=3, goal=HighestLoss())
    objective = (
        CrossEntropy()
        + 3 * Align()
        + GradientNorm()
        + LocalDistance()
        + LocalCosine()
        + CrossEntropy().at(attack)
        + Divergence(Attacked(attack))
    )
    batch = Batch(X, Y, {"reference": X - 0.5})
    objective(Probe(network, batch)).backward()  # the first search finds out how the network likes its images
    network.forwards = 0
    objective(Probe(network, batch)).backward()
    assert network.forwards == 3 + 3, "the image, its neighbor, its attacked self; and the steps of the one search"
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_share_of_the_images_is_attacked(share: float) -> None:
    x, y = images(400, 1, 6, 6), torch.zeros(400, dtype=torch.long)
    clean = Probe(NETWORK, Batch(x, y))
    moved = (Attacked(GaussianNoise(), share=share).probe(clean).x != x).flatten(1).any(1)
    assert float(moved.float().mean()) == pytest.approx(share, abs=0.08)


def test_a_varying_budget_is_drawn_for_each_step() -> None:
    place = Attacked(RandomPoint(eps=0.2), vary=True)
    longest = [float((place.probe(look(seed=seed)).x - X).abs().max().detach()) for seed in range(12)]
    assert max(longest) <= 0.2 + 1e-6
    assert min(longest) < 0.1 < max(longest)


def test_attacks_can_climb_towards_other_classes() -> None:
    clean = look()
    least = clean.logits.argmin(1)
    before = clean.logits.log_softmax(1)
    after = Attacked(ATTACK, towards="least-likely").probe(clean).logits.log_softmax(1)
    assert bool((after.gather(1, least[:, None]) > before.gather(1, least[:, None])).all())
    same = Attacked(PGD(eps=0.1, steps=3, goal=LowestLoss())).probe(clean)
    assert bool((same.losses < clean.losses).all())


def test_a_random_class_is_never_the_label() -> None:
    # a network that says what it sees: the attack lifts the chosen class's own pixel
    network = nn.Flatten()
    x, y = torch.full((300, 1, 1, 3), 0.5), torch.arange(300) % 3
    attack = PGD(eps=0.1, steps=1, step=1, start="here")
    moved = Attacked(attack, towards="random-class").probe(Probe(network, Batch(x, y))).x.flatten(1)
    chosen = moved.argmax(1)
    assert not bool((chosen == y).any())
    assert torch.bincount((chosen - y) % 3, minlength=3).tolist()[0] == 0
    assert min(torch.bincount((chosen - y) % 3, minlength=3).tolist()[1:]) > 110


def test_divergence_climbs_away_from_the_clean_answer() -> None:
    clean = look()
    moved = Attacked(ATTACK, towards="divergence").probe(clean)
    near = Attacked(RandomPoint(eps=0.1)).probe(clean)

    def away(probe: Probe) -> torch.Tensor:
        return nn.functional.kl_div(
            probe.logits.log_softmax(1), clean.logits.log_softmax(1), reduction="none", log_target=True
        ).sum(1)

    assert bool((away(moved) > away(near)).all())


def normed() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 4)).double()


def test_batch_norm_moves_its_averages_only_where_asked() -> None:
    network = normed()
    norm = network[1]
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    before = norm.running_mean.clone()
    frozen = Attacked(ATTACK, batch_norm="frozen-statistics").probe(look(network))
    still = frozen.logits
    assert torch.equal(norm.running_mean, before)
    moving = Attacked(ATTACK).probe(look(network))
    assert torch.allclose(moving.logits, still)
    assert not torch.equal(norm.running_mean, before)


def test_the_search_leaves_training_mode_and_gradients_alone() -> None:
    network = normed().train()
    norm = network[1]
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    before = norm.running_mean.clone()
    clean = look(network)
    logits = clean.logits  # the graph is there before the search
    after_one = norm.running_mean.clone()
    assert not torch.equal(after_one, before)
    place = Attacked(ATTACK, batch_norm="frozen-statistics")
    (logits.square().mean() + place.probe(clean).losses.mean()).backward()
    assert torch.equal(norm.running_mean, after_one)
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert all(module.training for module in network.modules())
    Attacked(ATTACK, mode="train", batch_norm="frozen-statistics").probe(clean)
    assert not torch.equal(norm.running_mean, after_one), "the published way: every pass of the search moves them"


def test_places_are_settings() -> None:
    objective = CrossEntropy() + 2.0 * CrossEntropy().at(Attacked(ATTACK, share=0.5))
    tables = config.dump(objective)
    assert tables["cross-entropy-2"]["at"]["attack"]["kind"] == "pgd"
    assert config.build(Objective, tables) == objective
    assert "at" not in tables["cross-entropy"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Attacked(ATTACK, share=0), "share is 0; it is the part of the images that is attacked, in (0, 1]"),
        (lambda: Attacked(GaussianNoise(), vary=True), "GaussianNoise has no eps that could vary; leave vary out"),
        (
            lambda: CrossEntropy().at(ATTACK).at(ATTACK),
            "a term that looks at attacked images cannot be moved on to others",
        ),
    ],
)
def test_bad_places_are_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        make()


def test_training_on_attacked_images_is_robust_training() -> None:
    split = pellucid.data.load("digits").train.take(512)
    robust = {}
    for name, objective in {"clean": CrossEntropy() + 0 * CrossEntropy(), "at": CrossEntropy().at(ATTACK)}.items():
        network = pellucid.models.build("mlp", seed=0, shape=(1, 8, 8), classes=10)
        list(pellucid.fit(network, split, objective, pellucid.Recipe(epochs=15, batch=32)))
        record = pellucid.measure(network, split.take(128), PGD(eps=0.1, steps=10))
        robust[name] = record.robust_accuracy(0.1).value
    assert robust["at"] > robust["clean"] + 0.1
