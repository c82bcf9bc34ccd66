import re
from collections.abc import Callable
from typing import Literal, cast

import pytest
import torch
from torch import Tensor, nn

from chance import strays
from networks import Counting, images, linear, smooth
from pellucid import config
from pellucid.batch import Batch
from pellucid.errors import ConfigError
from pellucid.objectives import (
    CrossEntropy,
    GaussianNeighbor,
    GradientNeighbor,
    GradientNorm,
    LocalCosine,
    LocalDistance,
    Neighbor,
    Term,
    UniformNeighbor,
)
from pellucid.probe import Probe

X = images(6, 1, 6, 6)
Y = torch.tensor([0, 1, 2, 3, 0, 1])
FAR = UniformNeighbor(eps=0.3)
NEIGHBORS: list[Neighbor] = [
    FAR,
    UniformNeighbor(eps=0.3, clip=True),
    GaussianNeighbor(eps=0.1),
    GradientNeighbor(eps=0.5),
    GradientNeighbor(eps=0.1, sign=True),
    GradientNeighbor(eps=0.5, sign=True, compat=True),
]
TERMS: list[Term] = [
    *[kind(neighbor) for kind in (LocalDistance, LocalCosine) for neighbor in NEIGHBORS[:1] + NEIGHBORS[2:4]],
    LocalDistance(detach=False),
    LocalCosine(FAR, detach=False, batch_norm="frozen-statistics"),
]


def number(value: Tensor) -> float:
    return float(value.detach())


def probe(network: nn.Module, x: Tensor = X, y: Tensor = Y, seed: int = 5) -> Probe:
    return Probe(network, Batch(x, y), seed=seed)


def mlp(activation: nn.Module, *, bias: bool = True, seed: int = 0, classes: int = 4) -> nn.Sequential:
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        layers = (nn.Linear(36, 32, bias=bias), activation, nn.Linear(32, 32, bias=bias), activation)
        return nn.Sequential(nn.Flatten(), *layers, nn.Linear(32, classes, bias=bias)).double()


def pair(network: nn.Module, neighbor: Neighbor = FAR, x: Tensor = X, y: Tensor = Y) -> tuple[Tensor, Tensor]:
    """The flat gradients at images and neighbors, and nothing in common with how terms reach them."""
    here = probe(network, x, y)
    points = neighbor.points(here).detach().requires_grad_()
    clean = here.x.detach().requires_grad_()
    rows = torch.arange(len(y))
    (g,) = torch.autograd.grad(network(clean)[rows, y].sum(), clean, create_graph=True)
    (there,) = torch.autograd.grad(network(points)[rows, y].sum(), points, create_graph=True)
    return g.flatten(1), there.flatten(1)


def cosine_distance(u: Tensor, v: Tensor) -> Tensor:
    return (1 - (u * v).sum(1) / (u.norm(dim=1) * v.norm(dim=1))) / 2


@pytest.mark.parametrize("neighbor", NEIGHBORS, ids=repr)
def test_the_terms_are_their_formulas(neighbor: Neighbor) -> None:
    network = smooth()
    here, there = pair(network, neighbor)
    distance, cosine = LocalDistance(neighbor)(probe(network)), LocalCosine(neighbor)(probe(network))
    assert torch.allclose(distance, (here - there).square().sum(1).mean())
    assert torch.allclose(cosine, cosine_distance(here, there).mean(), atol=1e-15)
    assert number(distance) > 0 and 0 < number(cosine) < 1


def test_neighbors_lie_where_they_should() -> None:
    x = images(4, 3, 40, 40)
    here = Probe(linear(pixels=4800), Batch(x, Y[:4]), seed=1)
    moved = (UniformNeighbor(eps=4 / 255).points(here) - x).flatten(1)
    assert number(moved.abs().max()) <= 4 / 255
    assert not strays(moved.abs().flatten().tolist(), 2 / 255)
    assert not strays(moved.flatten().tolist(), 0)
    moved = (GaussianNeighbor(eps=0.02).points(here) - x).flatten(1)
    assert not strays(moved.square().flatten().tolist(), 0.02**2)
    gradient = here.gradient("label-logit").detach().flatten(1)
    moved = (GradientNeighbor(eps=0.5).points(here) - x).flatten(1)
    assert torch.allclose(moved, 0.5 * gradient / gradient.norm(dim=1, keepdim=True))
    moved = (GradientNeighbor(eps=0.5, sign=True).points(here) - x).flatten(1)
    assert torch.allclose(moved, 0.5 * gradient.sign())
    moved = (GradientNeighbor(eps=0.5, sign=True, compat=True).points(here) - x).flatten(1)
    assert torch.allclose(moved, 0.5 * gradient.sign() / 4800**0.5)
    assert not GradientNeighbor().points(here).requires_grad


def test_published_neighbors_leave_the_range_and_clipped_ones_do_not() -> None:
    here = probe(smooth(), X.round())
    low, high = FAR.points(here).aminmax()
    assert number(low) < 0 and number(high) > 1
    low, high = UniformNeighbor(eps=0.3, clip=True).points(here).aminmax()
    assert number(low) == 0 and number(high) == 1


def test_each_step_draws_another_neighbor_and_each_image_its_own() -> None:
    network = smooth()
    first, again, other = (FAR.points(probe(network, seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    moved = first - X
    assert not torch.allclose(moved[0], moved[1])


def test_both_terms_cost_one_further_forward_pass() -> None:
    network = Counting(smooth())
    here = probe(network)
    (CrossEntropy() + LocalDistance() + LocalCosine())(here)
    there = UniformNeighbor().probe(here)
    assert network.forwards == 2 and (here.forwards, here.backwards) == (there.forwards, there.backwards) == (1, 1)
    LocalCosine(FAR)(here)
    assert network.forwards == 3


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.Softplus()], ids=["relu", "softplus"])
@pytest.mark.parametrize("a", [0.1, 2.0, 7.0])
def test_scaling_the_last_layer_changes_the_distance_and_nothing_that_an_explanation_shows(
    activation: nn.Module, a: float
) -> None:
    before, after = mlp(activation), mlp(activation)
    with torch.no_grad():
        for parameter in after[-1].parameters():
            parameter.mul_(a)
    values = [
        (number(LocalDistance(FAR)(probe(network))), number(LocalCosine(FAR)(probe(network))))
        for network in (before, after)
    ]
    assert values[1][0] == pytest.approx(a * a * values[0][0], rel=1e-12)
    assert values[1][1] == pytest.approx(values[0][1], abs=3e-16)
    assert torch.equal(before(X).argmax(1), after(X).argmax(1))
    maps = [pair(network)[0].detach().abs() for network in (before, after)]
    shown = [one / one.amax(1, keepdim=True) for one in maps]
    assert number((shown[0] - shown[1]).abs().max()) <= 2e-15


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.Softplus(beta=3)], ids=["relu", "softplus"])
def test_cosine_is_bounded_by_relative_distance(activation: nn.Module) -> None:
    x, y = images(200, 1, 6, 6, seed=3), torch.arange(200) % 4
    u, v = (gradient.detach() for gradient in pair(mlp(activation), FAR, x, y))
    apart = (u - v).norm(dim=1)
    cosine = cosine_distance(u, v)
    tight = (apart / (u.norm(dim=1) + v.norm(dim=1))).square()
    assert bool((cosine <= tight + 1e-15).all()) and bool((tight <= apart / v.norm(dim=1) + 1e-15).all())
    assert number(LocalCosine(FAR)(probe(mlp(activation), x, y))) == pytest.approx(number(cosine.mean()), rel=1e-9)
    # and the Hessian says it to first order
    near = UniformNeighbor(eps=1e-5)
    network = mlp(nn.Softplus())
    here = Probe(network, Batch(x, y), seed=5)
    delta = near.points(here) - x
    u, v = (gradient.detach() for gradient in pair(network, near, x, y))
    assert torch.allclose(v - u, here.curvature(delta, "label-logit").detach().flatten(1), rtol=1e-3, atol=1e-9)


def homogeneous(network: nn.Module) -> tuple[float, float, float]:
    """How far f(ax) is from a f(x), the gradient at ax from that at x, and x times it from the logit."""
    a, small = 3.0, X / 4
    at, far = probe(network, small), Probe(network, Batch.trusted(a * small, Y, {}))
    rows = torch.arange(len(Y))
    values = number((network(a * small) - a * network(small)).abs().max())
    gradients = number((far.gradient("label-logit") - at.gradient("label-logit")).abs().max())
    euler = (small * at.gradient("label-logit")).flatten(1).sum(1) - at.logits[rows, Y]
    return values, gradients, number(euler.abs().max())


def test_a_relu_network_without_biases_is_homogeneous_and_a_softplus_one_is_not() -> None:
    assert max(homogeneous(mlp(nn.ReLU(), bias=False))) < 1e-14
    assert min(homogeneous(mlp(nn.Softplus(), bias=False))) > 1e-3


def test_a_linear_network_has_nothing_to_align() -> None:
    here = probe(linear(pixels=36))
    assert number(LocalDistance(FAR)(here)) == 0
    assert number(LocalCosine(FAR)(here)) == pytest.approx(0, abs=1e-15)


class Quadratic(nn.Module):
    """Half of x H x for every class."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        half = torch.randn(4, 36, 36, generator=generator, dtype=torch.float64)
        self.hessians = nn.Parameter(half + half.transpose(1, 2))

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(1)
        return torch.einsum("bi,kij,bj->bk", flat, self.hessians, flat) / 2


def test_on_a_quadratic_the_distance_is_that_of_the_hessian() -> None:
    network = Quadratic()
    here = probe(network)
    delta = (FAR.points(here) - X).flatten(1)
    expected = torch.einsum("bij,bj->bi", network.hessians[Y], delta).square().sum(1).mean()
    assert torch.allclose(LocalDistance(FAR)(here), expected, rtol=1e-12)


def bound(network: nn.Module, tensors: tuple[Tensor, ...]) -> nn.Module:
    names = [name for name, _ in network.named_parameters()]

    class Bound(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.func.functional_call(network, dict(zip(names, tensors, strict=True)), (x,))

    return Bound()


def free(network: nn.Module) -> tuple[Tensor, ...]:
    return tuple(parameter.detach().clone().requires_grad_() for parameter in network.parameters())


@pytest.mark.parametrize("kind", [LocalDistance, LocalCosine])
def test_with_detach_the_gradient_is_that_of_the_loss_with_the_clean_gradient_frozen(
    kind: type[LocalDistance] | type[LocalCosine],
) -> None:
    network = smooth()
    still = pair(network)[0].detach()

    def value(*tensors: Tensor) -> Tensor:
        there = pair(bound(network, tensors))[1]
        if kind is LocalDistance:
            return (still - there).square().sum(1).mean()
        return cosine_distance(still, there).mean()

    parameters = free(network)
    ours = torch.autograd.grad(kind(FAR)(probe(bound(network, parameters))), parameters, materialize_grads=True)
    length = 1e-5
    for place, parameter in enumerate(parameters):
        direction = torch.rand(parameter.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 0.5
        ends = [
            number(value(*[p.detach() + by * direction if n == place else p for n, p in enumerate(parameters)]))
            for by in (length, -length)
        ]
        slope = (ends[0] - ends[1]) / (2 * length)
        assert number((ours[place] * direction).sum()) == pytest.approx(slope, rel=1e-6, abs=1e-9)
    # the two points have different roles
    alive = kind(FAR, detach=False)(probe(bound(network, parameters)))
    both = torch.autograd.grad(alive, parameters, materialize_grads=True)
    assert not torch.allclose(both[0], ours[0], rtol=1e-3)


@pytest.mark.parametrize("term", [term for term in TERMS if not cast("LocalCosine", term).detach], ids=repr)
def test_without_detach_the_gradient_is_that_of_the_term(term: Term) -> None:
    network = smooth()
    check: Callable[..., bool] = torch.autograd.gradcheck
    x, y = X[:3], Y[:3]

    def value(*tensors: Tensor) -> Tensor:
        return term(probe(bound(network, tensors), x, y))

    assert check(value, free(network), atol=1e-7, rtol=1e-4, fast_mode=True)


def test_a_graph_that_another_term_needs_is_shared_and_changes_nothing() -> None:
    network = smooth()

    def step(*terms: Term) -> tuple[list[Tensor], int]:
        here = probe(network)
        total = terms[0](here)
        for term in terms[1:]:
            total = total + term(here)
        return list(torch.autograd.grad(total, list(network.parameters()), materialize_grads=True)), here.backwards

    before, spent = step(GradientNorm(), LocalCosine(FAR))
    after, spent_again = step(LocalCosine(FAR), GradientNorm())
    assert (spent, spent_again) == (1, 2)
    assert all(torch.allclose(a, b, rtol=1e-12, atol=1e-15) for a, b in zip(before, after, strict=True))


def test_a_weight_of_zero_is_cross_entropy_to_the_bit() -> None:
    network = mlp(nn.Softplus())
    plain, with_terms = (
        torch.autograd.grad(objective(probe(network)), list(network.parameters()))
        for objective in (CrossEntropy() * 1.0, CrossEntropy() + 0.0 * LocalDistance(FAR) + 0.0 * LocalCosine(FAR))
    )
    assert all(torch.equal(a, b) for a, b in zip(plain, with_terms, strict=True))


def test_a_gradient_of_zero_does_no_harm() -> None:
    network = linear(pixels=36)
    nn.init.zeros_(network.get_parameter("1.weight"))
    for term in TERMS:
        network.zero_grad()
        term(probe(network)).backward()
        assert all(p.grad is None or bool(p.grad.isfinite().all()) for p in network.parameters())


@pytest.mark.parametrize("batch_norm", ["as-published", "frozen-statistics"])
def test_the_neighbors_pass_moves_batch_norms_averages_only_as_published(
    batch_norm: Literal["as-published", "frozen-statistics"],
) -> None:
    def tracked(*terms: Term) -> int:
        norm = nn.BatchNorm2d(1)
        network = nn.Sequential(norm, smooth()).double().train()
        here = probe(network)
        for term in terms:
            term(here)
        assert norm.num_batches_tracked is not None
        return int(norm.num_batches_tracked)

    terms = CrossEntropy(), LocalDistance(batch_norm=batch_norm), LocalCosine(batch_norm=batch_norm)
    assert tracked(*terms) == (2 if batch_norm == "as-published" else 1)


@pytest.mark.parametrize("term", TERMS, ids=repr)
def test_a_term_is_finite_reads_back_and_does_not_depend_on_order(term: Term) -> None:
    assert config.build(Term, config.dump(term)) == term
    assert eval(repr(term)) == term
    network = smooth()
    value = term(probe(network))
    assert value.shape == () and bool(value.isfinite())
    order = torch.tensor([4, 2, 0, 5, 1, 3])
    shuffled = Probe(network, Batch(X[order], Y[order], {"index": order}), seed=5)
    assert torch.allclose(term(shuffled), value)


def test_bad_settings_are_refused() -> None:
    message = "eps is 0.0; a neighbor lies at a distance above 0, in [0, 1] pixel units"
    for kind in (UniformNeighbor, GaussianNeighbor, GradientNeighbor):
        with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
            kind(eps=0.0)
    message = "compat concerns the step along the sign alone; set sign too, or leave compat out"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        GradientNeighbor(compat=True)
