"""What an explanation says of itself: what its maps should add up to, and what has to be known of them."""

import math

import torch
from torch import Tensor, nn

from networks import images, linear, smooth
from pellucid.explainers import (
    LRP,
    Completeness,
    ExpectedGradients,
    Explainer,
    Explanation,
    Gradient,
    InputTimesGradient,
    IntegratedGradients,
    Smooth,
)
from pellucid.explainers.explanation import loss_in_words, notes_in_words
from pellucid.models import build

X, Y = images(5, 1, 6, 6), torch.tensor([0, 1, 2, 3, 0])


def logits(model: nn.Module, x: Tensor = X) -> Tensor:
    with torch.no_grad():
        return model(x).gather(1, Y[:, None])[:, 0]


def sums(explainer: Explainer, model: nn.Module) -> Completeness:
    found = explainer(model, X, Y)
    assert found.completeness is not None
    assert torch.allclose(found.completeness.total, found.map.sum((1, 2, 3)))
    return found.completeness


def test_relevance_that_biases_keep_is_told() -> None:
    """A network whose logit is nearly all bias loses nearly all of it on the way to the pixels."""
    model = build("lenet", shape=(1, 6, 6), classes=4).double()
    with torch.no_grad():
        model.get_parameter("fc3.bias").fill_(9.0)
    about = sums(LRP(), model)
    assert torch.allclose(about.due, logits(model))
    assert all(lost is not None and lost > 0.9 for lost in about.lost)
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
    assert all(lost is not None and abs(lost) < 1e-3 for lost in sums(LRP("epsilon", epsilon=1e-9), model).lost)
    assert torch.equal(sums(LRP(start="one"), model).due, torch.ones(5, dtype=torch.float64))


def test_what_starts_from_a_baseline_is_due_the_rise_from_there() -> None:
    model = smooth()
    about = sums(IntegratedGradients(0.3), model)
    assert torch.allclose(about.due, logits(model) - logits(model, torch.full_like(X, 0.3)))
    assert float(about.gap.abs().max()) < 1e-3
    assert IntegratedGradients(times_input=False)(model, X, Y).completeness is None
    starts = images(7, 1, 6, 6, seed=3)
    with torch.no_grad():
        mean = model(starts).mean(0)[Y]
    drawn = sums(ExpectedGradients(400).fit(model, starts), model)
    assert torch.allclose(drawn.due, logits(model) - mean)
    assert float(drawn.gap.abs().max()) < float(drawn.due.abs().max())


def test_the_mean_over_copies_is_due_the_mean_of_what_they_are() -> None:
    model = smooth()
    about = sums(Smooth(IntegratedGradients(), samples=3, sigma=0.1, clip=True), model)
    assert float(about.gap.abs().max()) < 1e-3
    assert torch.allclose(sums(Smooth(LRP(), samples=2, sigma=0.0), model).due, logits(model))
    assert Smooth(LRP(), samples=2, statistic="variance")(model, X, Y).completeness is None


def test_methods_that_promise_no_sum_have_none() -> None:
    for explainer in (Gradient(), InputTimesGradient(), Smooth(Gradient(), samples=2)):
        assert explainer(smooth(), X, Y).completeness is None


def test_parts_that_fit_into_memory_say_the_same_as_all_images_at_once() -> None:
    model = build("lenet", shape=(1, 6, 6), classes=4).double()
    frugal, whole = LRP()(model, X, Y, memory=1), LRP()(model, X, Y)
    assert frugal.completeness is not None and whole.completeness is not None
    assert torch.allclose(frugal.completeness.due, whole.completeness.due)
    assert torch.allclose(frugal.completeness.total, whole.completeness.total)
    assert len(frugal.notes) == len(whole.notes) == 5


def test_a_map_with_a_graph_comes_without() -> None:
    found = LRP()(smooth(), X, Y, create_graph=True)
    assert found.completeness is None and found.notes == ()


def test_empty_and_even_maps_are_told_from_others() -> None:
    model = linear(pixels=36)
    with torch.no_grad():
        model.get_parameter("1.weight")[1:3] = torch.tensor([[0.0], [0.5]])
    notes = Gradient()(model, X, Y).notes
    assert notes == ((), ("the map is zero everywhere",), ("the map is the same at every pixel",), (), ())


def test_losses_in_words() -> None:
    about = Completeness(torch.tensor([0.0009, 9.2, 12.0, 0.0]), torch.tensor([9.2, 9.2, 8.0, 0.0]))
    found = Explanation(torch.zeros(4, 1), torch.zeros(4, dtype=torch.long), None, ((),) * 4, about)
    assert [found.sum_in_words(number) for number in range(4)] == [
        ("adds up to 0.0009 of 9.2", "100.0% lost"),
        ("adds up to 9.2 of 9.2",),
        ("adds up to 12 of 8", "50.0% too much"),
        ("adds up to 0 of 0",),
    ]
    assert loss_in_words(1e-9) == "nothing lost"
    assert math.isclose(about.lost[2] or 0, -0.5) and about.lost[3] is None
    assert notes_in_words([("a",), (), ("a", "b")], about.lost) == [
        "2 of 3 maps: a",
        "1 of 3 maps: b",
        "3 of 4 maps: of what a map should add up to, 50.0% too much to 100.0% lost",
    ]
