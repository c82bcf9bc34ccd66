"""VGG-16: small convolutions, many of them."""

from collections.abc import Sequence

from torch import nn

from pellucid.models.activations import Activation, activation_factory
from pellucid.models.input_layer import Shape, input_layer, sequence

_STAGES = ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3))
"""How wide each stage is, in widths of the first, and how many convolutions it has before its pool."""
_GRID = 7  # the last features are brought to so many rows and columns, whatever the image


def vgg16(
    *,
    shape: Shape = (3, 224, 224),
    classes: int = 1000,
    activation: Activation = "relu",
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    width: int = 64,
    hidden: int = 4096,
    dropout: float = 0.5,
) -> nn.Sequential:
    """VGG-16, 138,357,544 parameters on ImageNet (Simonyan and Zisserman, 2015).

    Its weights have the names of torchvision's, so that files made for those fit. `width` is that of the first
    stage, and `hidden` that of both hidden layers.
    """
    activate = activation_factory(activation)
    modules = input_layer(shape, classes, mean, std, smallest=32)  # five pools halve it
    layers: list[nn.Module] = []
    inputs = shape[0]
    for times, convolutions in _STAGES:
        for _ in range(convolutions):
            layers += [nn.Conv2d(inputs, times * width, 3, padding=1), activate()]
            inputs = times * width
        layers.append(nn.MaxPool2d(2))
    classifier = nn.Sequential(
        nn.Linear(inputs * _GRID**2, hidden),
        activate(),
        nn.Dropout(dropout),
        nn.Linear(hidden, hidden),
        activate(),
        nn.Dropout(dropout),
        nn.Linear(hidden, classes),
    )
    head = {"avgpool": nn.AdaptiveAvgPool2d(_GRID), "flatten": nn.Flatten(), "classifier": classifier}
    network = sequence(modules | {"features": nn.Sequential(*layers)} | head)
    _initialize(network)
    return network


def _initialize(network: nn.Module) -> None:
    """Keep the scale of signals through all layers: by PyTorch's own rule little of an image would be left."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
