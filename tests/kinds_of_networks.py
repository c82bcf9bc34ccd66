"""Networks of every kind that somebody may hand over, all for 4 classes and images of 1 x 8 x 8.

`KINDS` has a function for each, which makes the same network at every call.
"""

import warnings
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

CLASSES, SHAPE = 4, (1, 8, 8)


def plain(*, norm: bool = False, classes: int = CLASSES) -> nn.Sequential:
    """A convolution, a rectifier and a linear layer, in float32 and evaluation mode."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        layers: list[nn.Module] = [nn.Conv2d(1, 3, 3, padding=1)]
        layers += [nn.BatchNorm2d(3, track_running_stats=False)] if norm else []
        return nn.Sequential(*layers, nn.ReLU(), nn.Flatten(), nn.Linear(192, classes)).eval()


class Around(nn.Module):
    """The plain network, with something done to images before and to logits after it."""

    def __init__(
        self,
        after: Callable[[Tensor], Any] = lambda logits: logits,
        before: Callable[[Tensor], Tensor] = lambda x: x,
        network: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.network = plain() if network is None else network
        self.before, self.after = before, after

    def forward(self, x: Tensor) -> Any:
        return self.after(self.network(self.before(x)))


class Within(nn.Module):
    """The plain network, looked at in one of torch's modes without gradients."""

    def __init__(self, mode: Any) -> None:
        super().__init__()
        self.network, self.mode = plain(), mode

    def forward(self, x: Tensor) -> Tensor:
        with self.mode():
            return self.network(x)


class Numpy(nn.Module):
    """A linear network that leaves torch; `returned` is what it makes of its array."""

    def __init__(self, returned: Callable[[Any], Any] = lambda array: array) -> None:
        super().__init__()
        self.returned = returned
        self.weight = torch.randn(64, CLASSES, generator=torch.Generator().manual_seed(0)).numpy()

    def forward(self, x: Tensor) -> Any:
        return self.returned(x.numpy().reshape(len(x), -1) @ self.weight)


class HalfInside(nn.Module):
    """Convolutions in bfloat16 between conversions, and the rest in float32."""

    def __init__(self) -> None:
        super().__init__()
        network = plain()
        self.convolution, self.rest = network[0].bfloat16(), network[1:]

    def forward(self, x: Tensor) -> Tensor:
        return self.rest(self.convolution(x.bfloat16()).float())


class Choosy(nn.Module):
    """The plain network, which takes only what `takes` says."""

    def __init__(self, takes: Callable[[Tensor], bool], words: str) -> None:
        super().__init__()
        self.network, self.takes, self.words = plain(), takes, words

    def forward(self, x: Tensor) -> Tensor:
        if not self.takes(x):
            raise ValueError(self.words)
        return self.network(x)


class Viewing(nn.Module):
    """A linear network that calls `view`, which wants images in one piece."""

    def __init__(self) -> None:
        super().__init__()
        self.last = plain()[-1]

    def forward(self, x: Tensor) -> Tensor:
        return self.last(x.view(len(x), 64).repeat(1, 3))


def _made_in_inference_mode() -> nn.Module:
    with torch.inference_mode():
        return plain()


def _exported() -> nn.Module:
    from pellucid.models.loading import Exported

    return Exported(torch.export.export(plain(), (torch.rand(3, *SHAPE),)).module())


def _quantized() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch is about to move it elsewhere
        quantize: Any = torch.ao.quantization.quantize_dynamic  # pyright: ignore[reportDeprecated]
        return quantize(plain(), {nn.Linear}, dtype=torch.qint8)


def _lazy() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that lazy modules are young
        return nn.Sequential(nn.LazyConv2d(3, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(CLASSES))


def _last_pixels_channels_last(x: Tensor) -> bool:
    return x.is_contiguous(memory_format=torch.channels_last)


KINDS: Mapping[str, Callable[[], nn.Module]] = {
    "float16": lambda: plain().half(),
    "bfloat16": lambda: plain().bfloat16(),
    "float64": lambda: plain().double(),
    "mixed": HalfInside,
    "detached": lambda: Around(lambda logits: logits.detach()),
    "no-grad": lambda: Within(torch.no_grad),
    "inference-mode": lambda: Within(torch.inference_mode),
    "made-in-inference-mode": _made_in_inference_mode,
    "rounded": lambda: Around(before=lambda x: (255 * x).round() / 255),
    "numpy": Numpy,
    "list": lambda: Numpy(lambda array: array.tolist()),
    "tuple": lambda: Around(lambda logits: (logits,)),
    "auxiliary": lambda: Around(lambda logits: (logits, logits[:, 0])),
    "dict": lambda: Around(lambda logits: {"logits": logits, "features": logits}),
    "object": lambda: Around(lambda logits: SimpleNamespace(loss=None, logits=logits)),
    "maps": lambda: Around(lambda logits: logits[:, :, None, None]),
    "whole-numbers": lambda: Around(lambda logits: logits.argmax(1, keepdim=True) == torch.arange(CLASSES)),
    "one-number": lambda: Around(lambda logits: logits[:, 0]),
    "one-class": lambda: Around(lambda logits: logits[:, :1]),
    "thousand-classes": lambda: plain(classes=1000),
    "complex": lambda: Around(lambda logits: logits.to(torch.complex64)),
    "not-finite": lambda: Around(lambda logits: logits / 0),
    "a-text": lambda: Around(lambda logits: "seven"),
    "batch-statistics": lambda: plain(norm=True),
    "two-at-least": lambda: Choosy(lambda x: len(x) > 1, "give two images or more"),
    "three-exactly": _exported,
    "batch-of-one": lambda: Choosy(lambda x: len(x) == 1, "give one image"),
    "lazy": _lazy,
    "meta": lambda: plain().to("meta"),
    "elsewhere": lambda: Around(lambda logits: logits.to("meta")),
    "channels-last": lambda: Choosy(_last_pixels_channels_last, "give channels last"),
    "in-one-piece": Viewing,
    "other-size": lambda: nn.Sequential(nn.Flatten(), nn.Linear(3 * 224 * 224, CLASSES)),
    "quantized": _quantized,
    "training-mode": lambda: plain().train(),
    "failing": lambda: Choosy(lambda x: False, "never"),
}


def made(kind: str) -> nn.Module:
    """The network of a kind, as the command line has it made: `kinds_of_networks:made --option kind=float16`."""
    return KINDS[kind]()
