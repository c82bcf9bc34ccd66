"""A vision transformer for small images."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.errors import ConfigError
from pellucid.models.activations import Activation, activation_factory
from pellucid.models.input_layer import Shape, input_layer, sequence


def vit(
    *,
    shape: Shape = (3, 32, 32),
    classes: int = 10,
    activation: Activation = "gelu",
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    patch: int = 4,
    width: int = 96,
    depth: int = 6,
) -> nn.Sequential:
    """A vision transformer with a class token, 683,242 parameters on CIFAR-10 (Dosovitskiy et al., 2021).

    Each square of `patch` pixels is a token of `width` numbers, and a head of attention has 32 of these, or all where
    there are fewer. The image's sides are multiples of `patch`.
    """
    activate = activation_factory(activation)
    modules = input_layer(shape, classes, mean, std, smallest=patch)
    if patch < 1 or shape[1] % patch or shape[2] % patch:
        raise ConfigError(f"patch={patch} does not divide images of {shape[1]}x{shape[2]}; give one that does")
    heads = max(1, width // 32)
    if width < 1 or width % heads:
        raise ConfigError(
            f"width={width} cannot be divided among {heads} heads; give a multiple of 32, or less than 64"
        )
    tokens = (shape[1] // patch) * (shape[2] // patch) + 1
    modules |= {"patches": nn.Conv2d(shape[0], width, patch, patch), "tokens": Tokens(tokens, width)}
    for number in range(1, depth + 1):
        feed = {"up": nn.Linear(width, 4 * width), "activation": activate(), "down": nn.Linear(4 * width, width)}
        modules |= {
            f"attention{number}": Residual(Attention(width, heads), width),
            f"feed{number}": Residual(sequence(feed), width),
        }
    return sequence(modules | {"norm": nn.LayerNorm(width), "head": Head(width, classes)})


class Tokens(nn.Module):
    """Patches in a row behind a class token, with what each learns of its place."""

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.places = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, count, width), std=0.02))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b t c"]:
        """The tokens of each image, the class token first."""
        return torch.cat([self.token.expand(len(x), -1, -1), x.flatten(2).transpose(1, 2)], 1) + self.places


class Attention(nn.Module):
    """Tokens that attend to each other, in several heads; in plain products, which can be differentiated twice."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.joint = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Float[Tensor, "b t c"]) -> Float[Tensor, "b t c"]:
        """For each token the values of those that it attends to."""
        query, key, value = self.joint(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        weights = (query * query.shape[-1] ** -0.5 @ key.mT).softmax(-1)
        return self.out((weights @ value).transpose(1, 2).flatten(2))


class Residual(nn.Module):
    """Tokens, and what a layer adds to them."""

    def __init__(self, layer: nn.Module, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.layer = layer

    def forward(self, x: Float[Tensor, "b t c"]) -> Float[Tensor, "b t c"]:
        """The tokens after the layer."""
        return x + self.layer(self.norm(x))


class Head(nn.Linear):
    """The logits that the class token comes to."""

    def forward(self, input: Float[Tensor, "b t c"]) -> Float[Tensor, "b classes"]:
        """One logit for each class."""
        return super().forward(input[:, 0])
