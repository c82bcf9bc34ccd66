"""The nuclear norm of what an attack changes, against the sum of singular values."""

import pytest
import torch
from torch import Tensor, nn

from networks import images, linear, smooth
from pellucid import config
from pellucid.attacks import PGD, GaussianNoise, HighestLoss
from pellucid.batch import Batch
from pellucid.objectives import Attacked, CrossEntropy, NuclearNorm, Objective
from pellucid.probe import Probe

X, Y = images(6, 1, 6, 6), torch.tensor([0, 1, 2, 3, 0, 1])
NOISY = NuclearNorm(Attacked(GaussianNoise(sigma=0.1)))


def singular(network: nn.Module, term: NuclearNorm, x: Tensor) -> Tensor:
    """The mean over images of the singular values of what changes, by a decomposition."""
    probe = Probe(network, Batch(x, Y[: len(x)]), seed=5)
    with torch.no_grad():
        attacked = term.place.probe(probe).x
    change = network(attacked.detach()) - network(x)
    return torch.linalg.svdvals(change).sum() / len(x)


@pytest.mark.parametrize("count", [1, 2, 4, 6])
def test_it_is_the_sum_of_singular_values_with_their_slope(count: int) -> None:
    for network in (smooth(), linear(pixels=36)):
        x, parameters = X[:count], tuple(network.parameters())
        value = NOISY(Probe(network, Batch(x, Y[:count]), seed=5))
        expected = singular(network, NOISY, x)
        assert torch.allclose(value, expected, rtol=1e-7)
        ours = torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True)
        theirs = torch.autograd.grad(expected, parameters, allow_unused=True)
        for one, other in zip(ours, theirs, strict=True):
            assert (one is None) is (other is None)
            assert one is None or other is None or torch.allclose(one, other, rtol=1e-5, atol=1e-7)


def test_changes_in_one_direction_are_as_long_as_in_l2() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(36, 1, bias=False), nn.Linear(1, 4)).double()
    probe = Probe(network, Batch(X, Y), seed=5)
    change = NOISY.place.probe(probe).logits - probe.logits
    assert torch.allclose(NOISY(probe), change.norm() / 6, rtol=1e-7)


def test_where_nothing_changes_it_is_zero_and_has_no_slope() -> None:
    network = linear(pixels=36)
    nn.init.zeros_(network.get_parameter("1.weight"))
    value = NOISY(Probe(network, Batch(X, Y), seed=5))
    assert value.detach() == 0
    value.backward()
    assert all(p.grad is None or torch.equal(p.grad, torch.zeros_like(p)) for p in network.parameters())


def test_it_shares_the_search_with_other_terms_and_reads_back() -> None:
    place = Attacked(PGD(eps=0.1, steps=1, step=1, start="signs", goal=HighestLoss()))
    probe = Probe(smooth(), Batch(X, Y), seed=5)
    objective = CrossEntropy().at(place) + 4.5 * NuclearNorm(place)
    objective(probe)
    assert probe.forwards == 1
    assert config.build(Objective, config.dump(objective)) == objective
