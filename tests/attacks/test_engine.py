import copy
import threading

import torch
from torch import Tensor, nn

from networks import images
from pellucid.attacks import PGD
from pellucid.attacks.engine import Engine, halved, takes_channels_last
from pellucid.batch import Batch


class Viewing(nn.Module):
    """A network that asks for the layout that it was written with."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.convolution = network
        self.last = nn.Linear(5 * 36, 3).double()

    def forward(self, x: Tensor) -> Tensor:
        features = self.convolution(x)
        return self.last(features.view(len(x), -1))


class Locked(nn.Identity):
    """A module that holds what `copy` refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()


def convolution() -> nn.Sequential:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5), nn.Tanh()).double()


X, Y = images(6, 3, 6, 6), torch.tensor([0, 1, 2, 0, 1, 2])


def test_only_convolutions_that_are_not_viewed_take_channels_last() -> None:
    with torch.random.fork_rng([]):
        torch.manual_seed(1)
        flat = nn.Sequential(convolution(), nn.Flatten(), nn.Linear(5 * 36, 3).double())
    assert takes_channels_last(flat, X)
    assert not takes_channels_last(nn.Flatten(), X)
    assert not takes_channels_last(Viewing(convolution()), X)


def test_trying_leaves_no_trace() -> None:
    network = nn.Sequential(convolution(), nn.Flatten(), nn.Linear(5 * 36, 3).double()).train()
    before = copy.deepcopy(network.state_dict())
    takes_channels_last(network, X)
    assert all(module.training for module in network.modules())
    assert all(torch.equal(network.state_dict()[name], value) for name, value in before.items())


def test_a_network_that_views_is_attacked_all_the_same() -> None:
    viewing = Viewing(convolution()).eval()
    flat = nn.Sequential(viewing.convolution, nn.Flatten(), viewing.last).eval()
    attack = PGD(eps=0.2, steps=5)
    theirs, ours = attack(viewing, X, Y), attack(flat, X, Y)
    assert torch.allclose(theirs.x, ours.x)
    assert torch.equal(theirs.reached, ours.reached)


def single() -> nn.Sequential:
    return nn.Sequential(convolution(), nn.Flatten(), nn.Linear(5 * 36, 3)).eval().float()


def test_a_halved_network_computes_what_autocast_computes_and_shares_the_rest() -> None:
    network, x = single(), X.float()
    half = halved(network)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(half(x), network(x))
    own = {name for name, weight in half.named_parameters() if weight.dtype == torch.bfloat16}
    assert own == {"0.0.weight", "0.0.bias", "2.weight", "2.bias"}
    tensors = dict(network.state_dict(keep_vars=True))
    assert all(tensors[name] is value for name, value in half.state_dict(keep_vars=True).items() if name not in own)
    assert all(value.dtype != torch.bfloat16 for value in tensors.values())


def test_a_network_without_such_weights_or_that_cannot_be_copied_is_taken_as_it_is() -> None:
    flat, locked = nn.Flatten(), single()
    locked.register_module("lock", Locked())
    assert halved(flat) is flat
    assert halved(locked) is locked


def test_what_is_searched_in_low_precision_is_decided_in_full() -> None:
    network, x = single(), X.float()
    found = PGD(eps=0.05, steps=3).on(network, Batch(x, Y), engine=Engine("bf16-mixed"))
    with torch.no_grad():
        assert torch.equal(found.before, network(x))
        assert torch.equal(found.after, network(found.x))
