import copy

import torch
from torch import Tensor, nn

from networks import images
from pellucid.attacks import PGD
from pellucid.attacks.engine import takes_channels_last


class Viewing(nn.Module):
    """A network that asks for the layout that it was written with."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.convolution = network
        self.last = nn.Linear(5 * 36, 3).double()

    def forward(self, x: Tensor) -> Tensor:
        features = self.convolution(x)
        return self.last(features.view(len(x), -1))


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
