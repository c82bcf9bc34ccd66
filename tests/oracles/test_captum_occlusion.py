"""Occlusion against Captum's, which divides by the windows that cover a pixel too."""

import captum.attr
import pytest
import torch
from torch import nn

from pellucid.batch import Batch
from pellucid.explainers import Occlusion


@pytest.mark.parametrize(("window", "stride"), [(1, 1), (3, 1), (3, 2), (4, 3), (5, 2), (8, 8)])
@pytest.mark.parametrize("baseline", [0.0, 0.5])
def test_occlusion_on_digits(
    digits_network: nn.Module, digits: Batch, window: int, stride: int, baseline: float
) -> None:
    x, y = digits.x[:20], digits.y[:20]
    theirs = captum.attr.Occlusion(digits_network).attribute(
        x, sliding_window_shapes=(1, window, window), strides=(1, stride, stride), target=y, baselines=baseline
    )
    assert isinstance(theirs, torch.Tensor)
    ours = Occlusion(window, stride, baseline)(digits_network, x, y).map
    assert torch.allclose(ours, theirs, atol=1e-5 * float(theirs.abs().max()))
