"""Guided backprop, deconvnet and LRP as captum computes them, on sequential networks in float64."""

import warnings
from collections.abc import Callable

import pytest
import torch
from captum.attr import LRP as CaptumLRP
from captum.attr import Deconvolution
from captum.attr import GuidedBackprop as CaptumGuidedBackprop
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, GammaRule, PropagationRule
from torch import Tensor, nn

from networks import images
from pellucid.explainers import LRP, DeconvNet, GuidedBackprop

X, OF = images(4, 1, 12, 12), torch.tensor([0, 1, 2, 1])


class Network(nn.Module):
    """Flattens by a function, for captum's LRP knows no such module."""

    def __init__(self, *, bias: bool) -> None:
        super().__init__()
        with torch.random.fork_rng([]):
            torch.manual_seed(2)
            self.features = nn.Sequential(
                nn.Conv2d(1, 6, 3, padding=1, bias=bias), nn.ReLU(), nn.MaxPool2d(2),
                nn.Conv2d(6, 8, 3, stride=2, bias=bias), nn.ReLU(), nn.AvgPool2d(2),
            )  # fmt: skip
            self.head = nn.Sequential(nn.Linear(8, 12, bias=bias), nn.ReLU(), nn.Linear(12, 3, bias=bias))
        self.double()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x).flatten(1))


@pytest.mark.parametrize("bias", [True, False])
def test_guided_backprop_and_deconvnet(bias: bool) -> None:
    for theirs, ours in ((CaptumGuidedBackprop, GuidedBackprop()), (Deconvolution, DeconvNet())):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the hooks that it sets
            expected = theirs(Network(bias=bias)).attribute(X.clone(), target=OF)
        assert torch.allclose(ours(Network(bias=bias), X, OF).map, expected, atol=1e-10)


@pytest.mark.parametrize(
    ("composite", "rule", "bias"),
    [
        ("epsilon", lambda: EpsilonRule(1e-9), True),
        ("epsilon", lambda: EpsilonRule(1e-9), False),
        ("epsilon-plus", Alpha1_Beta0_Rule, False),
        ("epsilon-gamma", lambda: GammaRule(0.25), False),
    ],
)
def test_lrp(composite: str, rule: Callable[[], PropagationRule], bias: bool) -> None:
    model = Network(bias=bias)
    for layer in model.features:
        if isinstance(layer, nn.Conv2d):
            layer.rule = rule()  # pyright: ignore[reportArgumentType] - captum's way to set one
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = CaptumLRP(model).attribute(X.clone(), target=OF).detach()
    found = LRP(composite, 1e-9)(Network(bias=bias), X, OF).map
    assert torch.allclose(found, expected, atol=1e-9)
