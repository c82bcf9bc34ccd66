from collections.abc import Callable
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from networks import images, linear, smooth
from pellucid import config
from pellucid.batch import Batch
from pellucid.errors import ConfigError
from pellucid.objectives import HessianNorm, Term
from pellucid.probe import Probe

X = images(6, 1, 6, 6)
Y = torch.tensor([0, 1, 2, 3, 0, 1])
VARIANTS = [HessianNorm(), HessianNorm(probes=3), HessianNorm(of="loss")]


def number(value: Tensor) -> float:
    return float(value.detach())


def probe(network: nn.Module, x: Tensor = X, y: Tensor = Y, seed: int = 5) -> Probe:
    return Probe(network, Batch(x, y), seed=seed)


class Quadratic(nn.Module):
    """Half of x H x for both classes."""

    def __init__(self) -> None:
        super().__init__()
        half = torch.randn(16, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        self.hessian = half + half.T

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(1)
        value = (flat @ self.hessian * flat).sum(1) / 2
        return torch.stack([value, value], 1)


def test_many_probes_come_to_the_frobenius_norm() -> None:
    network = Quadratic()
    x, y = images(400, 1, 4, 4), torch.zeros(400, dtype=torch.long)
    value = number(HessianNorm(probes=50)(probe(network, x, y)))
    assert value == pytest.approx(number(network.hessian.square().sum()), rel=0.01)


def test_the_hessian_is_that_of_the_quantity() -> None:
    network = smooth()

    def exact(of: str) -> float:
        def square(x: Tensor, y: Tensor) -> float:
            def value(x: Tensor) -> Tensor:
                logits = network(x[None])
                return nn.functional.cross_entropy(logits, y[None]) if of == "loss" else logits[0, y]

            hessian = cast("Tensor", torch.autograd.functional.hessian(value, x))
            return number(hessian.square().sum())

        return sum(square(x, y) for x, y in zip(X, Y, strict=True)) / len(Y)

    for term in (HessianNorm(probes=400), HessianNorm(probes=400, of="loss")):
        assert number(term(probe(network))) == pytest.approx(exact(term.of), rel=0.1)


def test_what_does_not_bend_has_no_hessian() -> None:
    assert number(HessianNorm()(probe(linear(pixels=36)))) == 0
    relu = nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 4)).double()
    assert number(HessianNorm()(probe(relu))) == 0
    assert number(HessianNorm(of="loss")(probe(relu))) > 0


def convolutional() -> nn.Module:
    """Every operation that the fast second-order mode exchanges, and curvature between them."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        layers = (nn.Conv2d(1, 3, 3, stride=2), nn.BatchNorm2d(3), nn.Softplus(), nn.Conv2d(3, 4, 2), nn.ReLU())
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4, 4), nn.Softplus(), nn.Linear(4, 4)).double().train()


@pytest.mark.parametrize("term", VARIANTS, ids=repr)
@pytest.mark.parametrize("make", [smooth, convolutional], ids=["smooth", "convolutional"])
def test_the_third_derivative_agrees_with_finite_differences(make: Callable[[], nn.Module], term: Term) -> None:
    network = make()
    names = [name for name, _ in network.named_parameters()]
    parameters = tuple(parameter.detach().clone().requires_grad_() for parameter in network.parameters())

    def value(*tensors: Tensor) -> Tensor:
        class Bound(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return torch.func.functional_call(network, dict(zip(names, tensors, strict=True)), (x,))

        return term(probe(Bound()))

    gradients = torch.autograd.grad(value(*parameters), parameters, materialize_grads=True)
    length = 1e-5
    for place, gradient in enumerate(gradients):
        generator = torch.Generator().manual_seed(place)
        direction = torch.randn(gradient.shape, generator=generator, dtype=torch.float64)
        values = [
            number(value(*[p.detach() + by * direction if n == place else p for n, p in enumerate(parameters)]))
            for by in (length, -length)
        ]
        slope = (values[0] - values[1]) / (2 * length)
        assert number((gradient * direction).sum()) == pytest.approx(slope, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("term", VARIANTS, ids=repr)
def test_a_term_reads_back_and_does_not_depend_on_order(term: Term) -> None:
    assert config.build(Term, config.dump(term)) == term
    assert eval(repr(term)) == term
    network = smooth()
    order = torch.tensor([4, 2, 0, 5, 1, 3])
    shuffled = Probe(network, Batch(X[order], Y[order], {"index": order}), seed=5)
    assert torch.allclose(term(shuffled), term(probe(network)))


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="^probes is 0; it must be at least 1$"):
        HessianNorm(probes=0)
