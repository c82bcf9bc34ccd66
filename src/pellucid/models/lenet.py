"""LeNet, the first convolutional network to read digits."""

from collections.abc import Sequence

from torch import nn

from pellucid.models.activations import Activation, activation_factory
from pellucid.models.input_layer import Shape, input_layer, sequence


def lenet(
    *,
    shape: Shape = (1, 28, 28),
    classes: int = 10,
    activation: Activation = "relu",
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> nn.Sequential:
    """LeNet-5 with max-pooling, 61,706 parameters on MNIST (LeCun et al., 1998)."""
    activate = activation_factory(activation)
    modules = input_layer(shape, classes, mean, std, smallest=4)
    # below 12 pixels nothing would be left of a side, so the second convolution keeps its border there
    padding = [0 if side >= 12 else 2 for side in shape[1:]]
    height, width = ((side // 2 - 4 + 2 * pad) // 2 for side, pad in zip(shape[1:], padding, strict=True))
    return sequence(
        modules
        | {
            "conv1": nn.Conv2d(shape[0], 6, 5, padding=2),
            "activation1": activate(),
            "pool1": nn.MaxPool2d(2),
            "conv2": nn.Conv2d(6, 16, 5, padding=(padding[0], padding[1])),
            "activation2": activate(),
            "pool2": nn.MaxPool2d(2),
            "flatten": nn.Flatten(),
            "fc1": nn.Linear(16 * height * width, 120),
            "activation3": activate(),
            "fc2": nn.Linear(120, 84),
            "activation4": activate(),
            "fc3": nn.Linear(84, classes),
        }
    )
