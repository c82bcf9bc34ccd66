"""How much a mask counts, by how much of the image it shows."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Kernel = Literal["cosine", "hamming", "none"]


def weights(shown: Float[Tensor, "*shape"], kernel: Kernel, width: float) -> Float[Tensor, "*shape"]:
    """The weight exp(-D² / 2 width²) of masks that show these shares of the segments.

    The distance D of a mask z of d segments, k of them shown, from the whole image 1 follows from k/d alone: that of
    the cosine is 1 - <z, 1> / ‖z‖‖1‖ = 1 - √(k/d), that of Hamming 1 - k/d; without a kernel it is 0.
    """
    if kernel == "none":
        return torch.ones_like(shown)
    distance = 1 - (shown.sqrt() if kernel == "cosine" else shown)
    return torch.exp(-distance.square() / (2 * width**2))
