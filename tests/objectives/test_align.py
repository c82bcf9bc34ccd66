"""Interpretation Regularization's terms against what linear networks give in closed form."""

import math
import re

import pytest
import torch
from torch import Tensor, nn

from networks import images, linear, smooth
from pellucid.batch import Batch
from pellucid.errors import ShapeError
from pellucid.objectives import Align, CrossEntropy, GradientMatch, GradientNorm, JacobianNorm, Term
from pellucid.probe import Probe

X = images(6, 1, 6, 6)
Y = torch.tensor([0, 1, 2, 3, 0, 1])
T = images(6, 1, 6, 6, seed=1) - 0.5


def probe(network: nn.Module, maps: Tensor = T, x: Tensor = X, y: Tensor = Y) -> Probe:
    return Probe(network, Batch(x, y, {"reference": maps}), seed=5)


def rows(network: nn.Module) -> Tensor:
    """The gradient of every image's label logit."""
    return network.get_parameter("1.weight")[Y].detach().view_as(X)


def number(value: Tensor) -> float:
    return float(value.detach())


def published(network: nn.Module, maps: Tensor, direction: float, magnitude: float) -> Tensor:
    """The loss with nothing of the library in it."""
    x = X.clone().requires_grad_()
    logits = network(x)
    (gradient,) = torch.autograd.grad(logits[torch.arange(6), Y].sum(), x, create_graph=True)
    g, t = gradient.flatten(1), maps.flatten(1)
    cosine = (g * t).sum(1) / (g.norm(dim=1) * t.norm(dim=1))
    return nn.functional.cross_entropy(logits, Y) + direction * (1 - cosine.mean()) + magnitude * gradient.norm()


def test_closed_forms_on_a_linear_network() -> None:
    network = linear(pixels=36)
    weight = rows(network)
    cosine = (weight * T).sum((1, 2, 3)) / (weight.flatten(1).norm(dim=1) * T.flatten(1).norm(dim=1))
    assert number(Align()(probe(network))) == pytest.approx(1 - float(cosine.mean()), rel=1e-12)
    assert number(Align()(probe(network, weight))) == pytest.approx(0, abs=1e-12)
    assert number(Align()(probe(network, -weight))) == pytest.approx(2, rel=1e-12)
    assert number(Align(absolute=True)(probe(network, weight.abs()))) == pytest.approx(0, abs=1e-12)
    assert number(GradientNorm(reduction="batch")(probe(network))) == pytest.approx(float(weight.norm()), rel=1e-12)
    everything = JacobianNorm(projections="all", reduction="batch")(probe(network))
    assert number(everything) == pytest.approx(6**0.5 * float(network.get_parameter("1.weight").detach().norm()))


def test_the_loss_has_its_own_direction() -> None:
    network = linear(pixels=36)
    weight = network.get_parameter("1.weight").detach()
    down = nn.functional.one_hot(Y, 4) - network(X).detach().softmax(1)
    assert number(Align(of="loss")(probe(network, -(down @ weight).view_as(X)))) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("scale", [1e-3, 7.0, 1e4])
def test_the_scale_of_maps_does_not_matter(scale: float) -> None:
    network = smooth()
    for term in (Align(), Align(absolute=True), Align(of="loss")):
        assert number(term(probe(network, scale * T))) == pytest.approx(number(term(probe(network))), rel=1e-9)


def test_a_batch_that_comes_twice() -> None:
    network = smooth()
    once, twice = probe(network), probe(network, T.repeat(2, 1, 1, 1), X.repeat(2, 1, 1, 1), Y.repeat(2))
    for term, factor in (
        (CrossEntropy(), 1.0),
        (Align(), 1.0),
        (GradientNorm(reduction="batch"), 2**0.5),
        (GradientMatch(reduction="batch"), 2**0.5),
        (GradientMatch(reduction="rms"), 1.0),
        (GradientMatch(reduction="mean"), 1.0),
    ):
        assert number(term(twice)) == pytest.approx(factor * number(term(once)), rel=1e-12)


def test_the_derivative_of_the_length_in_closed_form() -> None:
    network = linear(pixels=36)
    GradientNorm(reduction="batch")(probe(network)).backward()
    weight, gradient = network.get_parameter("1.weight").detach(), network.get_parameter("1.weight").grad
    assert gradient is not None
    expected = torch.zeros_like(weight).index_add_(0, Y, weight[Y] / weight[Y].norm())
    assert torch.allclose(gradient, expected, rtol=1e-12, atol=1e-15)


def test_the_whole_is_the_published_formula_and_so_are_its_derivatives() -> None:
    """With the weight of the batch's length converted to one that belongs to no batch size."""
    ours, theirs = smooth(), smooth()
    batch = CrossEntropy() + 3.0 * Align() + 0.15 * GradientNorm(reduction="batch")
    converted = CrossEntropy() + 3.0 * Align() + 0.15 * 6**0.5 * GradientNorm(reduction="rms")
    expected = published(theirs, T, 3.0, 0.15)
    expected.backward()
    for objective in (batch, converted):
        ours.zero_grad()
        value = objective(probe(ours))
        assert number(value) == pytest.approx(number(expected), rel=1e-12)
        value.backward()
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert one.grad is not None and other.grad is not None
            assert torch.allclose(one.grad, other.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("term", [GradientMatch(), GradientMatch(absolute=False)])
def test_the_distance_is_zero_at_the_maps(term: GradientMatch) -> None:
    network = linear(pixels=36)
    weight = rows(network)
    maps = weight.abs() if term.absolute else weight
    assert number(term(probe(network, maps))) == pytest.approx(0, abs=1e-12)
    apart = (maps - T).flatten(1).norm(dim=1)
    assert number(term(probe(network))) == pytest.approx(float(apart.square().mean().sqrt()))
    mean = GradientMatch(absolute=term.absolute, reduction="mean")
    assert number(mean(probe(network))) == pytest.approx(float(apart.mean()))


def test_reductions_of_the_distance_convert_into_each_other() -> None:
    here = probe(smooth())
    batch, rms = GradientMatch(reduction="batch")(here), GradientMatch(reduction="rms")(here)
    assert number(0.02 * batch) == pytest.approx(number(0.02 * math.sqrt(6) * rms), rel=1e-6)


def test_maps_and_gradients_of_zero_have_no_direction() -> None:
    network = smooth()
    some = T.clone()
    some[2:] = 0
    value = Align()(probe(network, some))
    of_two = Align()(probe(network, T[:2], X[:2], Y[:2]))
    assert number(value) == pytest.approx((4 + 2 * number(of_two)) / 6)

    for maps in (T, torch.zeros_like(T)):
        flat = linear(pixels=36)
        nn.init.zeros_(flat.get_parameter("1.weight"))
        nothing = Align()(probe(flat, maps))
        assert number(nothing) == 1
        nothing.backward()
        gradient = flat.get_parameter("1.weight").grad
        assert gradient is not None and not bool(gradient.any())


def test_maps_may_be_of_another_precision() -> None:
    network = smooth().float()
    here = Probe(network, Batch(X.float(), Y, {"reference": T}))
    assert Align()(here).dtype == torch.float32
    assert number(Align()(here)) == pytest.approx(number(Align()(probe(smooth()))), rel=1e-5)


@pytest.mark.parametrize("term", [Align("saliency"), GradientMatch("saliency")])
def test_maps_that_do_not_fit_are_refused(term: Term) -> None:
    missing = (
        "this batch has no column 'saliency' (there are: reference); attach one with "
        "split.with_column('saliency', tensor)"
    )
    with pytest.raises(ShapeError, match=f"^{re.escape(missing)}$"):
        term(probe(smooth()))
    message = (
        "the column 'saliency' holds maps of shape (6, 6) for images of shape (1, 6, 6); each pixel of each channel "
        "needs one number"
    )
    here = Probe(smooth(), Batch(X, Y, {"saliency": T[:, 0]}))
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        term(here)
