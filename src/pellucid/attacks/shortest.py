"""The shortest perturbation met so far that reaches the goal."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.attacks.search import where
from pellucid.protocols import Norm

Found = tuple[Float[Tensor, "b *shape"], Float[Tensor, " b"]]
"""Perturbations and their lengths, which are infinite where none was met."""


def shortest(found: Found, delta: Float[Tensor, "b *shape"], met: Bool[Tensor, " b"], norm: Norm) -> Found:
    """What is the shortest after a look at one more perturbation, which counts where it `met` the goal."""
    nearest, length = found
    size = norm.size(delta)
    shorter = met & (size < length)
    return where(shorter, delta, nearest), torch.where(shorter, size, length)
