"""A wide residual network (Zagoruyko and Komodakis, 2016)."""

from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from pellucid.models.activations import Activation, activation_factory
from pellucid.models.input_layer import Shape, input_layer, sequence

BLOCKS = 4  # in each of three stages, for a depth of 28


def wide_resnet_28_10(
    *,
    shape: Shape = (3, 32, 32),
    classes: int = 10,
    activation: Activation = "relu",
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    dropout: float = 0.3,
    zero_init: bool = False,
) -> nn.Sequential:
    """WRN-28-10 as interpretation regularization used it, 36,489,290 parameters on CIFAR-10 (Noack et al., 2021).

    Its convolutions have biases; it returns logits, where the published code returned probabilities.
    With `zero_init` each block starts as its shortcut alone: its last convolution is zero.
    """
    activate = activation_factory(activation)
    modules = input_layer(shape, classes, mean, std, smallest=4)
    modules["stem"] = nn.Conv2d(shape[0], 16, 3, padding=1)
    inputs = 16
    for stage, (outputs, stride) in enumerate(((160, 1), (320, 2), (640, 2)), start=1):
        first = WideBlock(inputs, outputs, stride, dropout, activate)
        rest = [WideBlock(outputs, outputs, 1, dropout, activate) for _ in range(BLOCKS - 1)]
        modules[f"stage{stage}"] = nn.Sequential(first, *rest)
        inputs = outputs
    network = sequence(
        modules
        | {
            "norm": nn.BatchNorm2d(inputs, momentum=0.9),
            "activation": activate(),
            "pool": nn.AdaptiveAvgPool2d(1),
            "flatten": nn.Flatten(),
            "head": nn.Linear(inputs, classes),
        }
    )
    for module in network.modules():
        if zero_init and isinstance(module, WideBlock):
            for parameter in module.conv2.parameters():  # it has a bias
                nn.init.zeros_(parameter)
    return network


class WideBlock(nn.Module):
    """Normalizes and activates before each of two convolutions, with dropout between them."""

    def __init__(
        self, inputs: int, outputs: int, stride: int, dropout: float, activate: Callable[[], nn.Module]
    ) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.activation1 = activate()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.dropout = nn.Dropout(dropout)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.activation2 = activate()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, stride=stride, padding=1)
        same = (inputs, stride) == (outputs, 1)
        self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride=stride)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d i j"]:
        """Features of the next block."""
        main = self.dropout(self.conv1(self.activation1(self.norm1(x))))
        return self.conv2(self.activation2(self.norm2(main))) + self.shortcut(x)
