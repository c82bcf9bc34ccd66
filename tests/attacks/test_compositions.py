"""Attacks made of attacks, attacks by name, and those that do not search."""

import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from networks import Counting, images, linear, smooth
from pellucid.attacks import (
    ATTACKS,
    PGD,
    PRESETS,
    Attack,
    BelowChance,
    Budget,
    GaussianBlur,
    GaussianNoise,
    Ladder,
    Misclassified,
    Nearest,
    RandomPoint,
    Repeat,
    Shell,
    Transfer,
    WorstOf,
    named,
)
from pellucid.errors import ConfigError, ShapeError, UnknownName
from pellucid.norms import L2, Linf
from pellucid.randomness import Noise

NO_BUDGET = "is no budget; give a number, or a fraction such as 8/255"


class Centered(nn.Module):
    """A network that is undecided at mid-gray, so that random images are near its boundaries."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x) - self.network(torch.full_like(x, 0.5))


def subject(count: int = 30) -> tuple[nn.Module, Tensor, Tensor]:
    model, x = Centered(smooth()), images(count, 1, 6, 6)
    return model, x, model(x).argmax(1)


def test_the_worst_is_never_better_than_any_part() -> None:
    model, x, y = subject()
    parts = (RandomPoint(eps=0.05), PGD(eps=0.05, steps=3), PGD(eps=0.05, steps=10, step=0.5))
    found = WorstOf(parts)(model, x, y)
    assert found.reached.any() and not found.reached.all()
    for part in parts:
        alone = part(model, x, y)
        assert (found.reached | ~alone.reached).float().mean() > 0.95  # not all, since random starts differ
    assert set(found.part.tolist()) <= {-1, 0, 1, 2}
    assert torch.equal(found.part >= 0, found.reached)


def test_parts_see_only_what_still_stands() -> None:
    model, x, y = subject()
    found = WorstOf((PGD(eps=0.05, steps=5), PGD(eps=0.05, steps=50)))(model, x, y)
    first = found.part == 0
    assert first.any()
    assert (found.backwards[first] <= 5).all()
    assert (found.backwards[found.part == -1] == 55).all()


def test_of_nearest_points_the_nearest_is_kept() -> None:
    model, x, y = subject(8)
    parts = (Nearest(steps=15, trajectory=3.0), Nearest(steps=60, trajectory=3.0))
    found = WorstOf(parts)(model, x, y)
    alone = [part(model, x, y) for part in parts]
    best = torch.minimum(*[one.distance.where(one.reached, torch.inf) for one in alone])
    assert torch.allclose(found.distance, best)


def test_restarts_help_and_stop_where_the_goal_is_reached() -> None:
    model, x, y = subject()
    once, often = RandomPoint(eps=0.1)(model, x, y), Repeat(RandomPoint(eps=0.1), 20)(model, x, y)
    assert often.reached.sum() > once.reached.sum()
    assert often.forwards.max() == 22  # a look before, one after every attempt, and the decision
    assert often.forwards.min() < 22


def test_a_ladder_finds_the_smallest_budget() -> None:
    model, x, y = subject()
    levels = (0.005, 0.01, 0.02, 0.05, 0.1)
    ladder = Ladder(tuple(PGD(eps=eps, steps=20, start="here") for eps in levels))
    found = ladder(model, x, y)
    assert ladder.levels == levels and ladder.budget == 0.1
    for eps in levels:
        alone = PGD(eps=eps, steps=20, start="here")(model, x, y)
        fallen = found.reached & (found.distance <= eps + 1e-6)
        assert fallen[alone.reached].all()
        assert 0 < alone.reached.float().mean() < 1
    # one step for the guess, and mostly one attempt that succeeds and one that does not
    assert found.backwards.double().mean() < 45
    assert (found.backwards[~found.reached] % 20 == 1).all()


def test_a_transferred_attack_never_asks_the_network_for_gradients() -> None:
    model, x, y = subject()
    source = smooth(seed=1)
    found = Transfer(PGD(eps=0.3, steps=5), lambda: source)(model, x, y)
    with torch.no_grad():
        assert torch.equal(model(found.x).argmax(1) != y, found.reached)
    own = Transfer(PGD(eps=0.05, steps=20, start="here"), lambda: model)(model, x, y)
    direct = PGD(eps=0.05, steps=20, start="here")(model, x, y)
    assert torch.allclose(own.x[direct.reached], direct.x[direct.reached])


def test_blur_keeps_what_is_flat_and_flattens_what_is_not() -> None:
    model = linear(pixels=64)
    flat = torch.full((1, 1, 8, 8), 0.3, dtype=torch.float64)
    y = torch.tensor([0])
    assert torch.allclose(GaussianBlur(2.0)(model, flat, y).x, flat)
    x = images(1, 1, 8, 8)
    assert GaussianBlur(1.0)(model, x, model(x).argmax(1)).x.var() < 0.5 * x.var()


def test_gaussian_noise_has_the_spread_it_says() -> None:
    model, x = linear(pixels=400), torch.full((20, 1, 20, 20), 0.5, dtype=torch.float64)
    found = GaussianNoise(0.05)(model, x, model(x).argmax(1))
    moved = found.x - x
    assert moved.std() == pytest.approx(0.05, rel=0.05)


def test_only_a_search_for_the_nearest_point_is_pushed_over_the_boundary() -> None:
    model, x, y = subject(200)
    found = GaussianNoise(0.02)(model, x, y)
    drawn = (x + 0.02 * Noise(0, torch.arange(200)).stream("gaussian").normal(1, 6, 6, dtype=x.dtype)).clamp(0, 1)
    assert torch.equal(found.x, drawn), "a corruption is what it was drawn as"
    for attack in (GaussianNoise(), GaussianBlur(), Shell(), Transfer(Nearest(), lambda: model), PGD()):
        assert not attack.nearest, attack
    for attack in (Nearest(), Repeat(Nearest(), 2), WorstOf((Nearest(), Nearest(steps=9)))):
        assert attack.nearest and not attack.levels, attack
    assert Repeat(PGD(eps=0.1)).levels == Transfer(PGD(eps=0.1), lambda: model).levels == (0.1,)
    ladder = Ladder((PGD(eps=0.1), PGD(eps=0.2)))
    assert Repeat(ladder, 2).levels == (0.1, 0.2)


def test_a_decision_is_exact_whatever_the_caller_computes_in() -> None:
    model, x, y = Centered(smooth()).float(), images(6, 1, 6, 6).float(), torch.zeros(6, dtype=torch.long)
    outside = RandomPoint(eps=0.01)(model, x, y)
    with torch.autocast("cpu", torch.bfloat16):
        inside = RandomPoint(eps=0.01)(model, x, y)
    assert torch.equal(outside.before, inside.before) and torch.equal(outside.after, inside.after)


def test_blur_of_what_is_no_image() -> None:
    model, x = nn.Linear(4, 2).double(), images(2, 4)
    message = "GaussianBlur needs images of (channels, height, width); these are (4,)"
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        GaussianBlur()(model, x, model(x).argmax(1))


A, B = PGD(eps=0.1), PGD(eps=0.2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WorstOf(()), "WorstOf has no parts; give it one attack or more"),
        (
            lambda: WorstOf((A, B)),
            f"WorstOf cannot compare {B} with {A}; give all one norm, goal and budget",
        ),
        (lambda: Ladder(()), "Ladder has no parts; give it one attack or more"),
        (lambda: Ladder((A, A)), "Ladder has two parts of one budget; give each its own"),
        (
            lambda: Ladder((A, PGD(eps=0.2, norm=L2()))),
            f"Ladder cannot order {PGD(eps=0.2, norm=L2())} with {A}; give all one norm and goal, and budgets",
        ),
        (lambda: Repeat(A, 0), "Repeat has restarts=0; an attack starts 1 time or more"),
        (lambda: GaussianNoise(0), "GaussianNoise has sigma=0; a standard deviation is above 0"),
        (lambda: RandomPoint(eps=-1), "RandomPoint has eps=-1; a budget is a length above 0 in [0, 1] pixel units"),
    ],
)
def test_compositions_that_make_no_sense(make: Callable[[], Attack], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        make()


def test_attacks_by_their_names() -> None:
    assert named("pgd", eps=[0.1], norm="l2") == (PGD(eps=0.1, norm=L2()),)
    assert named("pgd", eps=[0.1, 0.2], assignments=["steps=7"]) == (
        Ladder((PGD(eps=0.1, steps=7), PGD(eps=0.2, steps=7))),
    )
    assert named("nearest", eps=[0.1], goals=["misclassified", "below-chance"]) == (
        Nearest(goal=Misclassified()),
        Nearest(goal=BelowChance()),
    )
    assert named("pgd", restarts=3) == (Repeat(PGD(), 3),)
    assert named("nearest", preset="published") == PRESETS["nearest-published"].attacks
    assert Budget.parse("8/255") == Budget(8 / 255, "8/255") and Budget.parse(" 0.5").eps == 0.5
    assert isinstance(PGD().norm, Linf)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: named("pgdd"), UnknownName, "no attack is called 'pgdd' (did you mean 'pgd'?)"),
        (
            lambda: named("pgd", preset="fgsm", norm="l2"),
            ConfigError,
            "the preset 'fgsm' says all there is to say of pgd; leave out other settings",
        ),
        (
            lambda: named("transfer", norm="l2"),
            ConfigError,
            "transfer takes no norm; leave --norm out",
        ),
        (lambda: Budget.parse("8/0"), ConfigError, f"'8/0' {NO_BUDGET}"),
        (
            lambda: Budget.parse("much"),
            ConfigError,
            f"'much' {NO_BUDGET}",
        ),
    ],
)
def test_names_that_stand_for_nothing(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        make()


def test_every_preset_belongs_to_an_attack() -> None:
    for name, preset in PRESETS.items():
        assert any(name.startswith(f"{attack}-") for attack in ATTACKS)
        assert preset.attacks


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_which_lengths_do_not_follow_the_network(name: str) -> None:
    lengths = dict.fromkeys(attack.absolute for attack in PRESETS[name].attacks if attack.absolute)
    said = "".join(f" ({length})" for length in lengths)
    assert PRESETS.summary_of(name).partition(" (its ")[1:] == said.partition(" (its ")[1:]


def test_a_transferred_search_never_looks_at_the_network_under_attack() -> None:
    source, model = Counting(linear()), Counting(linear(seed=1))
    x = images(3, 1, 3, 3)
    y = linear(seed=1)(x).argmax(1)
    Transfer(PGD(eps=0.3, steps=5, start="here"), lambda: source)(model, x, y)
    assert model.forwards == 2, "once before and once after"
    assert source.forwards > 0
