import re

import pytest
import torch
from torch import nn

from networks import Counting, images, linear, smooth
from pellucid import config
from pellucid.batch import Batch
from pellucid.errors import ConfigError
from pellucid.objectives import CrossEntropy, GradientNorm, JacobianNorm, Objective, Term
from pellucid.probe import Probe

X = images(6, 1, 6, 6)
Y = torch.tensor([0, 1, 2, 3, 0, 1])

VARIANTS: list[Term] = [
    CrossEntropy(),
    CrossEntropy(label_smoothing=0.1),
    *[GradientNorm(of=of, reduction=r) for of in ("loss", "label-logit") for r in ("mean", "rms", "batch")],
    *[GradientNorm(of="loss", reduction=r, norm="l1") for r in ("mean", "rms", "batch")],
    *[GradientNorm(reduction=r, norm="l1") for r in ("mean", "rms", "batch")],
    GradientNorm(norm="l1", units="network"),
    *[JacobianNorm(projections=p, reduction=r) for p in (1, 3, "all") for r in ("square", "rms", "batch")],
]
terms = pytest.mark.parametrize("term", VARIANTS, ids=repr)


def probe(network: nn.Module, x: torch.Tensor = X, y: torch.Tensor = Y) -> Probe:
    return Probe(network, Batch(x, y), seed=5)


@terms
def test_a_term_is_a_finite_scalar_that_does_not_depend_on_order(term: Term) -> None:
    network = smooth()
    value = term(probe(network))
    assert value.shape == () and bool(value.isfinite())
    order = torch.tensor([4, 2, 0, 5, 1, 3])
    shuffled = Probe(network, Batch(X[order], Y[order], {"index": order}), seed=5)
    assert torch.allclose(term(shuffled), value)


@terms
def test_the_gradient_for_the_parameters_is_right(term: Term) -> None:
    network = smooth()
    names = [name for name, _ in network.named_parameters()]

    def value(*tensors: torch.Tensor) -> torch.Tensor:
        class Bound(nn.Module):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return torch.func.functional_call(network, dict(zip(names, tensors, strict=True)), (x,))

        return term(probe(Bound(), X[:3, :, :, :], Y[:3]))

    parameters = tuple(parameter.detach().requires_grad_() for parameter in network.parameters())
    assert torch.autograd.gradcheck(value, parameters, eps=1e-6, atol=1e-6, rtol=1e-4, fast_mode=True)


@terms
def test_a_term_reads_back_from_its_settings(term: Term) -> None:
    assert config.build(Term, config.dump(term)) == term
    assert eval(repr(term)) == term


def test_all_terms_together_cost_one_forward_pass() -> None:
    network = Counting(smooth())
    shared = probe(network)
    objective = Objective.of(VARIANTS[0])
    for term in VARIANTS[1:]:
        objective = objective + term
    objective(shared)
    assert network.forwards == 1
    shared = probe(network)
    (CrossEntropy() + GradientNorm(of="loss") + GradientNorm(reduction="rms") + JacobianNorm())(shared)
    assert (shared.forwards, shared.backwards) == (1, 3)


def test_equal_gradients_are_taken_once() -> None:
    shared = probe(smooth())
    (GradientNorm(reduction="mean") + GradientNorm(reduction="batch"))(shared)
    assert shared.backwards == 1


def test_closed_forms_on_a_linear_network() -> None:
    network = linear(pixels=36)
    weight = network.get_parameter("1.weight").detach()
    lengths = weight[Y].norm(dim=1)
    here = probe(network)
    assert torch.allclose(GradientNorm(reduction="mean")(here), lengths.mean())
    assert torch.allclose(GradientNorm(reduction="rms")(here), lengths.square().mean().sqrt())
    assert torch.allclose(GradientNorm(reduction="batch")(here), lengths.square().sum().sqrt())
    sums = weight[Y].abs().sum(dim=1)
    assert torch.allclose(GradientNorm(reduction="mean", norm="l1")(here), sums.mean())
    assert torch.allclose(GradientNorm(reduction="rms", norm="l1")(here), sums.square().mean().sqrt())
    assert torch.allclose(GradientNorm(reduction="batch", norm="l1")(here), sums.sum())
    of_loss = (network(X).detach().softmax(1) - nn.functional.one_hot(Y, 4)) @ weight
    assert torch.allclose(GradientNorm(of="loss", reduction="mean", norm="l1")(here), of_loss.abs().sum(1).mean())
    assert torch.allclose(JacobianNorm(projections="all", reduction="batch")(here), 6**0.5 * weight.norm())
    assert torch.allclose(JacobianNorm(projections="all")(here), weight.square().sum() / 2)


def test_reductions_convert_into_each_other() -> None:
    here = probe(smooth())
    rms, batch = GradientNorm(reduction="rms")(here), GradientNorm(reduction="batch")(here)
    assert torch.allclose(batch, 6**0.5 * rms)
    rms, batch = GradientNorm(of="loss", reduction="rms")(here), GradientNorm(of="loss", reduction="batch")(here)
    assert torch.allclose(batch, rms / 6**0.5)


def test_the_batch_reduction_of_the_loss_is_the_norm_of_the_gradient_of_the_mean_loss() -> None:
    network = smooth()
    x = X.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(nn.functional.cross_entropy(network(x), Y), x)
    assert torch.allclose(GradientNorm(of="loss", reduction="batch")(probe(network)), gradient.norm())


def test_the_batch_reduction_in_l1_is_that_of_the_gradient_of_the_mean_loss_too() -> None:
    network = smooth()
    x = X.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(nn.functional.cross_entropy(network(x), Y), x)
    term = GradientNorm(of="loss", reduction="batch", norm="l1")
    assert torch.allclose(term(probe(network)), gradient.abs().sum())
    # which is no matter of the batch's size
    assert torch.allclose(term(probe(network)), GradientNorm(of="loss", reduction="mean", norm="l1")(probe(network)))


def test_projections_estimate_the_exact_square() -> None:
    network = smooth()
    exact = float(JacobianNorm(projections="all")(probe(network)).detach())
    draws = [float(JacobianNorm()(Probe(network, Batch(X, Y), seed=s)).detach()) for s in range(400)]
    sample = torch.tensor(draws)
    assert abs(float(sample.mean()) - exact) < 4 * float(sample.std()) / 400**0.5


def test_a_gradient_of_zero_does_no_harm() -> None:
    network = linear(pixels=36)
    nn.init.zeros_(network.get_parameter("1.weight"))
    for term in VARIANTS:
        network.zero_grad()
        term(probe(network)).backward()
        assert all(p.grad is None or bool(p.grad.isfinite().all()) for p in network.parameters())


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match=re.escape("label_smoothing is 1.0; it is a share in [0, 1)")):
        CrossEntropy(label_smoothing=1.0)
    with pytest.raises(ConfigError, match="projections is 0; it is a number from 1 on, or 'all'"):
        JacobianNorm(projections=0)
