"""DDN, FMN, DeepFool and Carlini and Wagner's attack where the nearest point is known."""

import math
import re
from collections.abc import Callable
from itertools import combinations

import pytest
import torch
from torch import Tensor, nn

from networks import images, linear, smooth
from pellucid.attacks import (
    DDN,
    FMN,
    Attack,
    BelowChance,
    CarliniWagner,
    Confirmed,
    DeepFool,
    Goal,
    Misclassified,
    Repeat,
    WorstOf,
)
from pellucid.attacks import Targeted as To
from pellucid.attacks.shortest import Shortest, annealed, looked
from pellucid.errors import ConfigError
from pellucid.norms import L0, L1, L2, RMS, Linf
from pellucid.testing.specimens import Scaled, Zoomed

DUAL: dict[type, int | float] = {Linf: 1, L2: 2, L1: math.inf}
ANY_GOAL: list[Callable[[Goal], Attack]] = [
    lambda goal: DDN(goal=goal),
    lambda goal: FMN(goal=goal, norm=L1()),
    lambda goal: FMN(goal=goal, norm=L2()),
    lambda goal: FMN(goal=goal, norm=Linf()),
    lambda goal: CarliniWagner(goal=goal, steps=80, searches=4, weight=0.01),
]
FOOLING: list[Attack] = [
    *(make(Misclassified()) for make in ANY_GOAL),
    *(DeepFool(norm=norm) for norm in (L2(), Linf())),
]
IN_RMS: list[tuple[Attack, Attack]] = [
    (DDN(steps=20), DDN(steps=20, norm=RMS())),
    (FMN(steps=20), FMN(steps=20, norm=RMS())),
    (DeepFool(), DeepFool(norm=RMS())),
    (CarliniWagner(steps=10, weight=1.0), CarliniWagner(steps=10, weight=1.0, norm=RMS())),
]


def centered(classes: int) -> tuple[nn.Sequential, Tensor, Tensor]:
    """A linear network whose boundaries all meet at the gray image, four images near one, and their classes."""
    model, x = linear(classes=classes), 0.3 + 0.4 * images(300, 1, 3, 3, seed=4)
    layer = last(model)
    with torch.no_grad():
        layer.weight.mul_(60)  # or cross-entropy would pull towards all other classes at once
        layer.bias.copy_(-layer.weight.sum(1) / 2)
        y = model(x).argmax(1)
        inf, euclid, one = (distances(model, x, y, norm).sort(1).values for norm in (Linf(), L2(), L1()))
        # far enough for spheres that start at 1 to shrink so far, near enough for one pixel not to come to the wall,
        # and with no other boundary about as near, for each loss chooses its own
        fits = (euclid[:, 0] > 0.04) & (one[:, 0] < 0.25)
        for exact in (inf, euclid, one):
            fits &= exact[:, 1] > 1.3 * exact[:, 0]
        return model, x[fits][:4], y[fits][:4]


def last(model: nn.Sequential) -> nn.Linear:
    (layer,) = (module for module in model if isinstance(module, nn.Linear))
    return layer


def distances(model: nn.Sequential, x: Tensor, y: Tensor, norm: object) -> Tensor:
    """How far each class's boundary with the label's is, a row per image; the label's own is infinitely far."""
    weight, logits = last(model).weight.detach(), model(x).detach()
    behind = logits.gather(1, y[:, None]) - logits
    slope = torch.linalg.vector_norm(weight[y][:, None] - weight, DUAL[type(norm)], dim=2)
    return (behind / slope).nan_to_num(math.inf)


@pytest.mark.parametrize("attack", FOOLING, ids=repr)
@pytest.mark.parametrize("classes", [2, 4])
def test_on_a_linear_network_it_comes_near_the_closed_form(attack: Attack, classes: int) -> None:
    model, x, y = centered(classes)
    exact = distances(model, x, y, attack.norm).amin(1)
    found = attack(model, x, y)
    assert found.reached.all()
    assert (found.distance >= exact * (1 - 1e-9)).all()
    assert (found.distance <= 1.05 * exact).all()


@pytest.mark.parametrize(("euclid", "mean"), IN_RMS)
def test_in_root_mean_square_the_same_points_are_nearest(euclid: Attack, mean: Attack) -> None:
    model, x = smooth(), images(4, 1, 6, 6)
    with torch.no_grad():
        y = model(x).argmax(1)
    one, other = euclid(model, x, y), mean(model, x, y)
    assert torch.allclose(one.x, other.x, atol=1e-9)
    assert torch.allclose(one.distance, 6 * other.distance)


@pytest.mark.parametrize("make", ANY_GOAL)
def test_of_two_classes_chance_lies_where_the_other_takes_over(make: Callable[[Goal], Attack]) -> None:
    model, x, y = centered(2)
    attack = make(BelowChance())
    exact = distances(model, x, y, attack.norm).amin(1)
    found = attack(model, x, y)
    assert found.reached.all()
    assert (found.distance >= exact * (1 - 1e-9)).all()
    assert (found.distance <= 1.05 * exact).all()


@pytest.mark.parametrize("make", ANY_GOAL)
def test_a_class_is_confirmed_no_nearer_than_its_boundary(make: Callable[[Goal], Attack]) -> None:
    model, x, y = centered(3)
    attack = make(Confirmed())
    wanted = (y + 1) % 3
    bound = distances(model, x, y, attack.norm).gather(1, wanted[:, None]).squeeze(1)
    found = attack(model, x, wanted)
    assert found.reached.all()
    assert (found.distance >= bound * (1 - 1e-9)).all()
    same = make(To(1))(model, x, y)
    assert torch.allclose(make(Confirmed())(model, x, torch.ones_like(y)).x, same.x)


def test_few_changes_are_as_few_as_can_be() -> None:
    model, x = linear(classes=2), images(12, 1, 3, 3, seed=6)
    with torch.no_grad():
        last(model).bias.copy_(torch.tensor([0.5, 0.0]))
        y = model(x).argmax(1)
    slope = (last(model).weight[1 - y] - last(model).weight[y]).detach()
    best = (slope > 0).double().view_as(x)  # where a pixel changes at all, the wall is as far as it helps
    fewest = torch.full((12,), math.inf, dtype=torch.float64)
    for count in range(9, 0, -1):
        for chosen in combinations(range(9), count):
            changed = x.flatten(1).clone()
            changed[:, chosen] = best.flatten(1)[:, chosen]
            with torch.no_grad():
                falls = model(changed.view_as(x)).argmax(1) != y
            fewest[falls] = count
    found = FMN(norm=L0())(model, x, y)
    assert set(fewest.tolist()) == {6, 7}
    assert torch.equal(found.reached, fewest.isfinite())
    assert (found.distance >= fewest)[found.reached].all()
    assert (found.distance == fewest)[found.reached].double().mean() > 0.7
    assert (found.distance <= fewest + 1)[found.reached].all()


@pytest.mark.parametrize("attack", [DDN(), FMN(), DeepFool(), CarliniWagner(steps=50, searches=5)], ids=repr)
def test_where_nothing_can_be_reached_the_last_point_comes_back(attack: Attack) -> None:
    model, x, y = centered(2)
    with torch.no_grad():
        last(model).bias.mul_(0).add_(torch.tensor([100.0, 0.0]))
    found = attack(model, x, torch.zeros_like(y))
    assert not found.reached.any()
    assert (found.distance > 0).all()
    assert (found.part == -1).all()


@pytest.mark.parametrize("attack", [DDN(steps=7), FMN(steps=7)], ids=repr)
def test_each_step_costs_one_gradient(attack: Attack) -> None:
    model, x, y = centered(4)
    assert (attack(model, x, y).backwards == 7).all()


def test_each_image_has_a_weight_of_its_own() -> None:
    model, x, y = centered(4)
    attack = CarliniWagner(steps=30, searches=4)
    found = attack(model, x, y)
    assert (found.backwards == 4 * 30).all()
    for row in range(4):
        assert torch.allclose(attack(model, x[row : row + 1], y[row : row + 1]).x, found.x[row : row + 1])


def test_deepfool_looks_at_a_few_classes_and_leaves_once_it_has_crossed() -> None:
    model, x, y = centered(4)
    found = DeepFool(classes=2)(model, x, y)
    # one step goes over the nearest boundary of a linear network, and one look sees it
    assert (found.backwards == 2 * 2).all()
    assert torch.equal(found.x, DeepFool(classes=3)(model, x, y).x)


def test_with_each_loss_the_search_starts_at_the_image() -> None:
    model, x, y = centered(2)
    seen: list[Tensor] = []
    model.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().clone()))
    FMN(steps=9, losses=("margin", "progress", "margin"))(model, x, y)
    # after the decision on the labels
    assert [number for number, point in enumerate(seen[1:]) if torch.equal(point, x)] == [0, 3, 6]


def test_a_goal_with_one_way_to_climb_is_climbed_again_from_the_image() -> None:
    model, x, y = centered(2)
    seen: list[Tensor] = []
    model.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().clone()))
    FMN(steps=8, goal=BelowChance())(model, x, y)
    assert [number for number, point in enumerate(seen[1:]) if torch.equal(point, x)] == [0, 4]


SCALE_FREE: list[Attack] = [
    *(FMN(steps=30, norm=norm) for norm in (L1(), L2(), Linf())),
    *(kind(steps=30, norm=RMS(), goal=BelowChance()) for kind in (FMN, DDN)),
    DDN(steps=30),
]


@pytest.mark.parametrize("attack", SCALE_FREE, ids=repr)
def test_in_single_precision_no_logits_are_too_large_and_no_distances_too_small(attack: Attack) -> None:
    model, x, y = centered(4)
    x, model = x.float(), model.float()
    distance = attack(model, x, y).distance
    if attack.goal == Misclassified():  # how large logits are moves chance itself
        larger = attack(nn.Sequential(model, Scaled(1000)).eval(), x, y)
        assert larger.reached.all() and torch.allclose(larger.distance, distance, rtol=0.02)
    nearer = attack(Zoomed(model, x, 100).eval(), x, y)
    assert nearer.reached.all() and torch.allclose(100 * nearer.distance, distance, rtol=0.02)


@pytest.mark.parametrize("attack", [FMN(steps=30), DDN(steps=30)], ids=repr)
def test_with_a_thousand_classes_and_in_half_precision(attack: Attack) -> None:
    model, x = smooth(classes=1000), images(4, 1, 6, 6)
    with torch.no_grad():
        y = model(x).argmax(1)
    exact = attack(model, x, y)
    assert exact.reached.all()
    half = attack(model.bfloat16(), x.bfloat16(), y)
    moved = ~half.reached_at_start
    assert half.reached[moved].all()
    assert half.x.dtype == torch.bfloat16 and half.x.isfinite().all()


@pytest.mark.parametrize("attack", [FMN(steps=10), FMN(steps=10, norm=L0()), DDN(steps=10), DeepFool()], ids=repr)
def test_a_dead_network_is_not_moved_and_what_is_wrong_already_stays(attack: Attack) -> None:
    model, x, _ = centered(2)
    with torch.no_grad():
        last(model).weight.zero_()
        last(model).bias.copy_(torch.tensor([1.0, 0.0]))
    found = attack(model, x, torch.tensor([0, 0, 1, 1]))
    assert found.reached.tolist() == [False, False, True, True]
    assert torch.equal(found.x, x)
    assert (found.distance == 0).all()


@pytest.mark.parametrize("attack", [FMN(steps=20), DDN(steps=20)], ids=repr)
def test_at_walls_it_goes_where_there_is_room(attack: Attack) -> None:
    model = linear(classes=2)
    with torch.no_grad():
        last(model).weight.copy_(torch.tensor([[0.0] * 9, [-1.0] * 6 + [1.0] * 3]))
        last(model).bias.copy_(torch.tensor([0.3, 0.0]))
    x, y = torch.zeros(1, 1, 3, 3, dtype=torch.float64), torch.tensor([0])
    found = attack(model, x, y)
    # six black pixels would have to become darker yet
    assert found.distance.item() == pytest.approx(0.3 / math.sqrt(3), rel=0.01)


def test_published_searches_have_lengths_of_their_own_and_say_so() -> None:
    model, x, y = centered(2)
    for kind in (FMN, DDN):
        assert kind().absolute == ""
        assert kind(published=True).absolute.endswith(" long in L2, whatever the network")
    seen: list[Tensor] = []
    model.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().clone()))
    DDN(steps=2, radius=0.1, published=True)(model, x, y)
    # the first radius has already grown by its share
    assert torch.allclose(L2().size(seen[2] - x), torch.full((4,), 0.105, dtype=torch.float64), atol=1e-3)


def test_of_several_parts_the_nearer_counts_and_lengths_matter_where_all_have_them() -> None:
    fixed, free = DDN(published=True), FMN()
    assert Repeat(fixed, 2).absolute == WorstOf((fixed, fixed)).absolute == fixed.absolute
    assert WorstOf((fixed, free)).absolute == WorstOf((free,)).absolute == ""


def test_where_walls_shorten_perturbations_the_ball_grows_on() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(9, 2)).double()
    with torch.no_grad():
        last(model).weight.copy_(torch.tensor([[0.0] * 9, [1.0] * 8 + [0.2]]))
        last(model).bias.copy_(torch.tensor([8.05, 0.0]))
    x = torch.ones(1, 1, 3, 3, dtype=torch.float64)
    x[0, 0, 2, 2] = 0  # the one pixel that can still be raised, though by its slope it hardly matters
    found = FMN(losses=("margin",), gamma=0.1)(model, x, torch.tensor([0]))
    assert found.reached.all()
    assert found.distance.item() == pytest.approx(0.25, rel=0.05)


def test_a_second_loss_finds_nothing_farther() -> None:
    model, x, y = centered(4)
    both = FMN(steps=60)(model, x, y)
    for loss in ("margin", "progress"):
        assert (both.distance <= FMN(steps=60, losses=(loss,))(model, x, y).distance * 1.01).all()


def test_a_cosine_leads_from_the_first_value_to_the_last() -> None:
    assert [annealed(1.0, 0.2, elapsed) for elapsed in (0, 0.5, 1)] == pytest.approx([1.0, 0.6, 0.2])


def test_the_shortest_is_of_those_that_met() -> None:
    length = torch.tensor([math.inf, math.inf, 1.0])
    delta, met = torch.tensor([[2.0], [2.0], [2.0]]), torch.tensor([True, False, True])
    state = looked(Shortest(delta, torch.ones(3, 1), length, met & False), met, L2())
    assert state.nearest.flatten().tolist() == [2, 1, 1]
    assert state.length.tolist() == [2, math.inf, 1]
    assert state.best.flatten().tolist() == [2, 2, 1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DDN(steps=0), "DDN has steps=0; a search takes 1 step or more"),
        (lambda: DDN(norm=Linf()), "DDN has norm=Linf(); its spheres are those of L2 and RMS"),
        (lambda: DDN(radius=0), "DDN has radius=0; it is a length above 0"),
        (lambda: DDN(step=-1), "DDN has step=-1; it is a length above 0"),
        (lambda: DDN(gamma=1), "DDN has gamma=1; it is a share between 0 and 1"),
        (lambda: FMN(steps=0), "FMN has steps=0; a search takes 1 step or more"),
        (lambda: FMN(step=0), "FMN has step=0; it is a length above 0"),
        (lambda: FMN(gamma=0), "FMN has gamma=0; it is a share from 0.001 to 1"),
        (
            lambda: FMN(losses=()),
            "FMN has 0 losses for 100 steps; give it one or more, and a step for each",
        ),
        (lambda: FMN(steps=1), "FMN has 2 losses for 1 steps; give it one or more, and a step for each"),
        (lambda: DeepFool(steps=0), "DeepFool has steps=0; a search takes 1 step or more"),
        (lambda: DeepFool(classes=0), "DeepFool has classes=0; it steps towards 1 other class or more"),
        (lambda: DeepFool(overshoot=-0.1), "DeepFool has overshoot=-0.1; it is a share of the way, from 0 to 1"),
        (lambda: DeepFool(norm=L1()), "DeepFool has norm=L1(); it steps in L2, RMS and Linf"),
        (
            lambda: DeepFool(goal=BelowChance()),
            "DeepFool has goal=BelowChance(); it steps to boundaries of the label's class, "
            "so give it Misclassified()",
        ),
        (lambda: CarliniWagner(steps=0), "CarliniWagner has steps=0; a search takes 1 step or more"),
        (
            lambda: CarliniWagner(searches=0),
            "CarliniWagner has searches=0; the weight is sought in 1 round or more",
        ),
        (lambda: CarliniWagner(rate=0), "CarliniWagner has rate=0; it is a number above 0, 1 at most"),
        (lambda: CarliniWagner(weight=0), "CarliniWagner has weight=0; it is a number above 0, 1e+10 at most"),
        (
            lambda: CarliniWagner(norm=Linf()),
            "CarliniWagner has norm=Linf(); its loss holds distances in L2 and RMS",
        ),
    ],
)
def test_settings_that_make_no_search(make: Callable[[], Attack], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        make()
