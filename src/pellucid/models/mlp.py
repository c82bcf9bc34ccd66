"""A multi-layer perceptron."""

import math
from collections.abc import Sequence

from torch import nn

from pellucid.models.activations import Activation, activation_factory
from pellucid.models.input_layer import Shape, input_layer, sequence


def mlp(
    *,
    shape: Shape = (1, 28, 28),
    classes: int = 10,
    activation: Activation = "relu",
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    hidden: Sequence[int] = (256, 256),
) -> nn.Sequential:
    """Fully connected layers, `hidden` units wide, on the flat image."""
    activate = activation_factory(activation)
    modules = input_layer(shape, classes, mean, std, smallest=1) | {"flatten": nn.Flatten()}
    inputs = math.prod(shape)
    for number, units in enumerate(hidden, start=1):
        modules |= {f"fc{number}": nn.Linear(inputs, units), f"activation{number}": activate()}
        inputs = units
    return sequence(modules | {f"fc{len(hidden) + 1}": nn.Linear(inputs, classes)})
