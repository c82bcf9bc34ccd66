"""Two convolutions and two fully connected layers: the MNIST network of interpretation regularization."""

from collections.abc import Sequence

from torch import nn

from pellucid.models.activations import Activation, activation_factory
from pellucid.models.input_layer import Shape, input_layer, sequence


def simple_cnn(
    *,
    shape: Shape = (1, 28, 28),
    classes: int = 10,
    activation: Activation = "relu",
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    dropout: float = 0.4,
) -> nn.Sequential:
    """The MNIST network of interpretation regularization, 3,274,634 parameters (Noack et al., 2021)."""
    activate = activation_factory(activation)
    modules = input_layer(shape, classes, mean, std, smallest=4)
    return sequence(
        modules
        | {
            "conv1": nn.Conv2d(shape[0], 32, 5, padding=2),
            "activation1": activate(),
            "pool1": nn.MaxPool2d(2),
            "conv2": nn.Conv2d(32, 64, 5, padding=2),
            "activation2": activate(),
            "pool2": nn.MaxPool2d(2),
            "flatten": nn.Flatten(),
            "fc1": nn.Linear(64 * (shape[1] // 4) * (shape[2] // 4), 1024),
            "activation3": activate(),
            "dropout": nn.Dropout(dropout),
            "fc2": nn.Linear(1024, classes),
        }
    )
