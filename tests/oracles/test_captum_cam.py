"""Grad-CAM against Captum's."""

import torch
from captum.attr import LayerActivation as TheirActivation
from captum.attr import LayerAttribution, LayerGradCam
from torch import nn

from pellucid.batch import Batch
from pellucid.explainers import GradCAM, LayerActivation


def test_grad_cam_on_digits(exact_network: nn.Sequential, exact_digits: Batch) -> None:
    x, y = exact_digits.x[:40], exact_digits.y[:40]
    for layer in ("0", "1", "2", "3"):
        theirs = LayerGradCam(exact_network, exact_network[int(layer)])
        for positive in (False, True):
            low = theirs.attribute(x, y, relu_attributions=positive)
            assert isinstance(low, torch.Tensor)
            wide = LayerAttribution.interpolate(low.detach(), (8, 8), "bilinear")
            ours = GradCAM(layer, positive=positive)(exact_network, x, y).map
            assert torch.allclose(ours, wide, atol=1e-9 * float(wide.abs().max())), (layer, positive)


def test_by_itself_it_takes_the_last_layer_before_flattening(
    exact_network: nn.Sequential, exact_digits: Batch
) -> None:
    x = exact_digits.x[:5]
    assert torch.equal(GradCAM()(exact_network, x, 3).map, GradCAM("3")(exact_network, x, 3).map)


def test_layer_activations_on_digits(exact_network: nn.Sequential, exact_digits: Batch) -> None:
    x = exact_digits.x[:40]
    features = TheirActivation(exact_network, exact_network[3]).attribute(x)
    assert isinstance(features, torch.Tensor)
    wide = LayerAttribution.interpolate(features.mean(1, keepdim=True), (8, 8), "bilinear")
    assert torch.allclose(LayerActivation()(exact_network, x, 0).map, wide, atol=1e-12)
