"""The LeNet of local gradient alignment: four small convolutions and a hidden layer."""

from collections.abc import Sequence

from torch import nn

from pellucid.models.activations import Activation, activation_factory
from pellucid.models.input_layer import Shape, input_layer, sequence


def lenet_joo2023(
    *,
    shape: Shape = (3, 32, 32),
    classes: int = 10,
    activation: Activation = "relu",
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> nn.Sequential:
    """The LeNet of local gradient alignment, 1,116,970 parameters on CIFAR-10 (Joo et al., 2023).

    The paper trains and explains it with `activation={"name": "softplus", "beta": 3}`.
    """
    activate = activation_factory(activation)
    modules = input_layer(shape, classes, mean, std, smallest=4)
    return sequence(
        modules
        | {
            "conv1": nn.Conv2d(shape[0], 32, 3, padding=1),
            "activation1": activate(),
            "conv2": nn.Conv2d(32, 32, 3, padding=1),
            "activation2": activate(),
            "pool1": nn.MaxPool2d(2),
            "conv3": nn.Conv2d(32, 64, 3, padding=1),
            "activation3": activate(),
            "conv4": nn.Conv2d(64, 64, 3, padding=1),
            "activation4": activate(),
            "pool2": nn.MaxPool2d(2),
            "flatten": nn.Flatten(),
            "fc1": nn.Linear(64 * (shape[1] // 4) * (shape[2] // 4), 256),
            "activation5": activate(),
            "fc2": nn.Linear(256, classes),
        }
    )
