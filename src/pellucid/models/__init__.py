"""Networks from images in [0, 1] to logits, and the one door through which trained ones come in."""

from collections.abc import Callable

from torch import nn

from pellucid.models.activations import ACTIVATIONS, Activation, HalfHuber
from pellucid.models.building import build, options_of
from pellucid.models.convnets import lenet, simple_cnn
from pellucid.models.curvature import curves
from pellucid.models.input_layer import Normalize, deviation
from pellucid.models.loading import load, untrained
from pellucid.models.perceptron import mlp
from pellucid.models.preact_resnet import preact_resnet44
from pellucid.models.resnet import resnet18
from pellucid.models.subtracted import subtracted
from pellucid.models.swapping import rectifiers_left, replace_activations, swapped
from pellucid.models.weights import fit_weights, read_weights
from pellucid.models.wide_resnet import wide_resnet_28_10
from pellucid.registry import Registry

MODELS: Registry[Callable[..., nn.Module]] = Registry(
    "model",
    {
        "mlp": mlp,
        "lenet": lenet,
        "simple-cnn": simple_cnn,
        "resnet18": resnet18,
        "preact-resnet44": preact_resnet44,
        "wide-resnet-28-10": wide_resnet_28_10,
    },
)

__all__ = [
    "MODELS",
    "ACTIVATIONS",
    "Activation",
    "HalfHuber",
    "Normalize",
    "deviation",
    "build",
    "options_of",
    "load",
    "untrained",
    "read_weights",
    "fit_weights",
    "rectifiers_left",
    "replace_activations",
    "swapped",
    "curves",
    "subtracted",
]
