"""Where images in [0, 1] enter a network: their shape is checked, then they are normalized."""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.errors import ConfigError, ShapeError

Shape = Sequence[int]
"""Channels, height and width of one image."""


class ExpectShape(nn.Module):
    """Lets images of one shape pass unchanged and refuses all others in words."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = tuple(shape)

    def forward(self, x: Float[Tensor, "*any"]) -> Float[Tensor, "b c h w"]:
        """The same images, or an error where their shape is another one."""
        if x.ndim != 4:
            raise ShapeError(
                f"the network got a tensor of {_times(x.shape)}; it expects batches of {_times(self.shape)}"
            )
        if tuple(x.shape[1:]) != self.shape:
            raise ShapeError(
                f"the network got images of {_times(x.shape[1:])} and expects {_times(self.shape)}; "
                f"build it with shape={tuple(x.shape[1:])}, or convert the images"
            )
        return x

    def extra_repr(self) -> str:
        """The expected shape, which `print` shows."""
        return _times(self.shape)


class Normalize(nn.Module):
    """Subtracts a mean from each channel and divides by a deviation; does nothing where none is given."""

    mean: Tensor | None
    std: Tensor | None

    def __init__(self, mean: Sequence[float] | None = None, std: Sequence[float] | None = None) -> None:
        super().__init__()
        if (mean is None) != (std is None):
            raise ConfigError(f"mean={_shown(mean)} and std={_shown(std)}; give both or neither")
        if mean is not None and std is not None:
            if len(mean) != len(std):
                raise ConfigError(f"mean={_shown(mean)} and std={_shown(std)} differ in length; give one per channel")
            if not min(std) > 0:
                raise ConfigError(f"std={_shown(std)} holds a value that is not positive; images are divided by it")
        # where none is given the weights hold none, so that a plain network's weights fit
        self.register_buffer("mean", None if mean is None else torch.tensor(mean, dtype=torch.get_default_dtype()))
        self.register_buffer("std", None if std is None else torch.tensor(std, dtype=torch.get_default_dtype()))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The images less the mean, divided by the deviation of each channel."""
        if self.mean is None or self.std is None:
            return x
        if x.shape[1] != len(self.mean):  # a mean of three would otherwise turn one channel into three
            raise ShapeError(
                f"images of {x.shape[1]} channels met a mean of {len(self.mean)}; give one value per channel"
            )
        return (x - self.mean[:, None, None]) / self.std[:, None, None]


def deviation(network: nn.Module) -> Float[Tensor, "c 1 1"] | float:
    """What a network divides each channel of its images by, as far as its `Normalize` tells; 1 where it has none."""
    for module in network.modules():
        if isinstance(module, Normalize) and module.std is not None:
            return module.std[:, None, None]
    return 1.0


def input_layer(
    shape: Shape, classes: int, mean: Sequence[float] | None, std: Sequence[float] | None, *, smallest: int
) -> dict[str, nn.Module]:
    """The first two modules of a network for images of at least `smallest` pixels a side."""
    if len(shape) != 3:
        raise ShapeError(f"shape={tuple(shape)} is not (channels, height, width)")
    if shape[0] < 1 or min(shape[1:]) < smallest:
        raise ShapeError(
            f"images of {_times(shape)} are too small; this network needs at least 1x{smallest}x{smallest}"
        )
    if classes < 2:
        raise ConfigError(f"classes={classes}; a classifier tells at least 2 apart")
    if mean is not None and len(mean) != shape[0]:
        raise ConfigError(
            f"mean={_shown(mean)} has {len(mean)} values for {shape[0]} channels; "
            "give one per channel, or mean=None and std=None for images as they are"
        )
    return {"shape": ExpectShape(shape), "normalize": Normalize(mean, std)}


def sequence(modules: dict[str, nn.Module]) -> nn.Sequential:
    """Modules in a row, each under its name."""
    return nn.Sequential(OrderedDict(modules))


def _times(sizes: Sequence[int]) -> str:
    return "x".join(str(size) for size in sizes)


def _shown(values: Sequence[float] | None) -> str:
    return "None" if values is None else f"({', '.join(f'{value:g}' for value in values)})"
