"""How images lie in memory, which decides by what code convolutions are computed."""

import torch
from jaxtyping import Float
from torch import Tensor


def channels_last(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """The same images with the channels of a pixel side by side, which convolutions on a CPU prefer.

    Also where there is but one channel: either way is the same there, PyTorch leaves the strides as they are, and
    convolutions go by the strides.
    """
    channels, height, width = x.shape[1:]
    strides = (height * width * channels, 1, width * channels, channels)
    return x.contiguous(memory_format=torch.channels_last).as_strided(x.shape, strides)


def channels_first(x: Float[Tensor, "b *shape"]) -> Float[Tensor, "b *shape"]:
    """The same images in the usual layout; a copy where strides would tempt convolutions to another."""
    if x.dim() != 4 or x.stride() == torch.empty(x.shape, device="meta").stride():
        return x.contiguous()
    return x.clone(memory_format=torch.contiguous_format)
