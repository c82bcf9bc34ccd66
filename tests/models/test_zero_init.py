"""Residual networks that start as their shortcuts."""

import pytest
import torch
from torch import nn

from pellucid.models import build

BLOCKS = {"preact-resnet44": 21, "resnet18": 8, "wide-resnet-28-10": 12}
LAST = {"preact-resnet44": "conv2.weight", "resnet18": "norm2.weight", "wide-resnet-28-10": "conv2.weight"}
SMALL = {"preact-resnet44": {}, "resnet18": {"width": 4}, "wide-resnet-28-10": {}}
names = pytest.mark.parametrize("name", BLOCKS)


def zeros(network: nn.Module, ending: str) -> int:
    named = [p for name, p in network.named_parameters() if name.startswith("stage") and name.endswith(ending)]
    return sum(not bool(parameter.any()) for parameter in named)


@names
def test_the_last_layer_of_each_block_is_zero_where_asked(name: str) -> None:
    assert zeros(build(name, zero_init=True, **SMALL[name]), LAST[name]) == BLOCKS[name]
    assert zeros(build(name, zero_init=False, **SMALL[name]), LAST[name]) == 0


@names
def test_the_default_is_as_it_was_and_nothing_else_changes(name: str) -> None:
    plain, zeroed = build(name, **SMALL[name]), build(name, zero_init=True, **SMALL[name])
    assert zeros(plain, LAST[name]) == (BLOCKS[name] if name == "preact-resnet44" else 0)
    for (path, one), (_, other) in zip(plain.named_parameters(), zeroed.named_parameters(), strict=True):
        assert torch.equal(one, other) or not bool(other.any()), path


@names
def test_a_block_starts_as_its_shortcut(name: str) -> None:
    network = build(name, zero_init=True, **SMALL[name])
    block = network.get_submodule("stage1.1")  # not the first, whose shape may change
    channels = next(p for path, p in block.named_parameters() if path == "conv1.weight").shape[1]
    x = torch.rand(2, channels, 4, 4, generator=torch.Generator().manual_seed(0))  # positive, as after a ReLU
    assert torch.equal(block.train()(x), x)
