"""The pre-activation ResNet-44 of Adversarial Explanations (Woods et al., 2019), and the four published with it."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jaxtyping import Float
from torch import Tensor, nn

from pellucid.errors import WeightsError
from pellucid.models.activations import Activation, activation_factory
from pellucid.models.half_huber import HalfHuber
from pellucid.models.input_layer import Shape, input_layer, sequence

BLOCKS = 7  # in each of three stages: 2 x 7 x 3 convolutions, the stem and the head make 44


def preact_resnet44(
    *,
    shape: Shape = (3, 32, 32),
    classes: int = 10,
    activation: Activation = "relu",
    mean: Sequence[float] | None = (0.4914, 0.4822, 0.4465),
    std: Sequence[float] | None = (0.247, 0.243, 0.261),
    zero_init: bool = True,
) -> nn.Sequential:
    """The network of Adversarial Explanations, 681,626 parameters on CIFAR-10 (Woods et al., 2019).

    With `zero_init` each block starts as its shortcut alone: its last convolution is zero. The published
    networks normalize by the mean and deviation of CIFAR-10.
    """
    activate = activation_factory(activation)
    modules = input_layer(shape, classes, mean, std, smallest=4)
    modules["stem"] = nn.Conv2d(shape[0], 16, 3, padding=1, bias=False)
    inputs = 16
    for stage, (outputs, stride) in enumerate(((16, 1), (32, 2), (64, 2)), start=1):
        first = PreactBlock(inputs, outputs, stride, activate)
        rest = [PreactBlock(outputs, outputs, 1, activate) for _ in range(BLOCKS - 1)]
        modules[f"stage{stage}"] = nn.Sequential(first, *rest)
        inputs = outputs
    network = sequence(
        modules
        | {
            "norm": nn.BatchNorm2d(inputs),
            "activation": activate(),
            "pool": nn.AdaptiveAvgPool2d(1),
            "head": nn.Conv2d(inputs, classes, 1),
            "flatten": nn.Flatten(),
        }
    )
    _initialize(network, zero_init)
    return network


class PreactBlock(nn.Module):
    """Normalizes and activates before each of two convolutions; where the shape changes so does the shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int, activate: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.activation1 = activate()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.activation2 = activate()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        same = (inputs, stride) == (outputs, 1)
        self.shortcut = None if same else nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d i j"]:
        """Features of the next block."""
        active = self.activation1(self.norm1(x))
        main = self.conv2(self.activation2(self.norm2(self.conv1(active))))
        return main + (x if self.shortcut is None else self.shortcut(active))


def _initialize(network: nn.Module, zero_init: bool) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in network.modules():
        if zero_init and isinstance(module, PreactBlock):
            nn.init.zeros_(module.conv2.weight)


# The published files number the parts of the network, keep mean and deviation in one tensor, and have a scalar beside
# each Half-Huber activation, which is how one tells what they were trained with.
_PUBLISHED = [
    (r"pipe\.0\.", "stem."),
    (r"pipe\.([123])\.", r"stage\1."),
    (r"pipe\.4\.", "norm."),
    (r"pipe\.7\.", "head."),
    (r"\.pre\.0\.", ".norm1."),
    (r"\.main\.0\.", ".conv1."),
    (r"\.main\.1\.", ".norm2."),
    (r"\.main\.3\.", ".conv2."),
]


def _cifar10_preprocess() -> None:
    """Stand in for the function that the files refer to beside their weights; nothing calls it."""


SAFE: list[Callable[..., object] | tuple[Callable[..., object], str]] = [
    (_cifar10_preprocess, "__main__.cifar10_preprocess")
]
"""The one name outside torch that weights may refer to."""


def is_published(weights: Mapping[str, Tensor]) -> bool:
    """Whether weights are those of one of the four published networks."""
    return "input_offset" in weights and "pipe.0.weight" in weights


def from_published(weights: Mapping[str, Tensor], model: nn.Module, where: Path | str) -> dict[str, Tensor]:
    """The published tensors under our names, once the model is known to have the activation of their training."""
    widths = {float(width) for name, width in weights.items() if name.endswith(".d")}
    _check_activation(widths, model, where)
    mean, std = weights["input_offset"]
    parts = {
        _renamed(name): tensor
        for name, tensor in weights.items()
        if name != "input_offset" and not name.endswith(".d")
    }
    return {"normalize.mean": mean, "normalize.std": std} | parts


def _check_activation(widths: set[float], model: nn.Module, where: Path | str) -> None:
    built = {module.delta for module in model.modules() if isinstance(module, HalfHuber)}
    if widths == built:
        return
    if not widths:
        raise WeightsError(
            f"{where} was trained with relu and the model has half-huber; build it with activation='relu'"
        )
    deltas = ", ".join(f"{width:g}" for width in sorted(widths))
    raise WeightsError(
        f"{where} was trained with half-huber of delta={deltas} and the model has "
        f"{'another' if built else 'none'}; build it with activation={{'name': 'half-huber', 'delta': {deltas}}}"
    )


def _renamed(name: str) -> str:
    for pattern, ours in _PUBLISHED:
        name = re.sub(pattern, ours, name)
    return name
