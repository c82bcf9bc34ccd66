"""AlexNet, the first convolutional network to win on ImageNet."""

from collections.abc import Sequence

from torch import nn

from pellucid.models.activations import Activation, activation_factory
from pellucid.models.input_layer import Shape, input_layer, sequence

_GRID = 6  # the last features are brought to so many rows and columns, whatever the image


def alexnet(
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
    """AlexNet in one column, 61,100,840 parameters on ImageNet (Krizhevsky, 2014).

    Its weights have the names of torchvision's, so that files made for those fit. `width` is that of the first
    convolution, and `hidden` that of both hidden layers.
    """
    activate = activation_factory(activation)
    # below this side nothing is left for the last pool
    modules = input_layer(shape, classes, mean, std, smallest=63)
    features = nn.Sequential(
        nn.Conv2d(shape[0], width, 11, stride=4, padding=2),
        activate(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(width, 3 * width, 5, padding=2),
        activate(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(3 * width, 6 * width, 3, padding=1),
        activate(),
        nn.Conv2d(6 * width, 4 * width, 3, padding=1),
        activate(),
        nn.Conv2d(4 * width, 4 * width, 3, padding=1),
        activate(),
        nn.MaxPool2d(3, 2),
    )
    classifier = nn.Sequential(
        nn.Dropout(dropout),
        nn.Linear(4 * width * _GRID**2, hidden),
        activate(),
        nn.Dropout(dropout),
        nn.Linear(hidden, hidden),
        activate(),
        nn.Linear(hidden, classes),
    )
    head = {"avgpool": nn.AdaptiveAvgPool2d(_GRID), "flatten": nn.Flatten(), "classifier": classifier}
    return sequence(modules | {"features": features} | head)
