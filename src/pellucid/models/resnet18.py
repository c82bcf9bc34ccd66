"""ResNet-18, for small images and for ImageNet's."""

from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from pellucid.models.activations import Activation, activation_factory
from pellucid.models.input_layer import Shape, input_layer, sequence


def resnet18(
    *,
    shape: Shape = (3, 32, 32),
    classes: int = 10,
    activation: Activation = "relu",
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    width: int = 64,
    zero_init: bool = False,
    imagenet_stem: bool = False,
) -> nn.Sequential:
    """ResNet-18 whose stem keeps the resolution, 11,173,962 parameters on CIFAR-10 (He et al., 2016).

    With `zero_init` each block starts as its shortcut alone: the scale of its last BatchNorm is zero. With
    `imagenet_stem` it begins as in the paper, for large images: a convolution of 7 x 7 and a pool halve them twice.
    Of 1,000 classes it then has 11,689,512 parameters.
    """
    activate = activation_factory(activation)
    side, stride, smallest = (7, 2, 32) if imagenet_stem else (3, 1, 8)
    modules = input_layer(shape, classes, mean, std, smallest=smallest) | {
        "stem": nn.Conv2d(shape[0], width, side, stride=stride, padding=side // 2, bias=False),
        "norm": nn.BatchNorm2d(width),
        "activation": activate(),
    }
    if imagenet_stem:
        modules["stem_pool"] = nn.MaxPool2d(3, 2, padding=1)
    inputs = width
    for stage, stride in enumerate((1, 2, 2, 2)):
        outputs = width * 2**stage
        modules[f"stage{stage + 1}"] = nn.Sequential(
            BasicBlock(inputs, outputs, stride, activate), BasicBlock(outputs, outputs, 1, activate)
        )
        inputs = outputs
    head = {"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "head": nn.Linear(inputs, classes)}
    network = sequence(modules | head)
    for module in network.modules():
        if zero_init and isinstance(module, BasicBlock):
            nn.init.zeros_(module.norm2.weight)
    return network


class BasicBlock(nn.Module):
    """Two convolutions beside a shortcut, activated after they are added."""

    def __init__(self, inputs: int, outputs: int, stride: int, activate: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.activation1 = activate()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity() if (inputs, stride) == (outputs, 1) else _projection(inputs, outputs, stride)
        self.activation2 = activate()

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d i j"]:
        """Features of the next block."""
        main = self.norm2(self.conv2(self.activation1(self.norm1(self.conv1(x)))))
        return self.activation2(main + self.shortcut(x))


def _projection(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return sequence(
        {"conv": nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), "norm": nn.BatchNorm2d(outputs)}
    )
