"""How alike two directions are."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def cosine(one: Float[Tensor, "b *shape"], other: Float[Tensor, "b *shape"]) -> Float[Tensor, " b"]:
    """The cosine between two vectors, per image; 0, without a slope, where either is zero and has no direction."""
    one, other = one.flatten(1), other.flatten(1)
    directed = one.detach().any(1) & other.detach().any(1)
    # at a vector of zero the quotient is 0 / 1e-8, whose slope of 1e8 would end a training
    return F.cosine_similarity(one, other, dim=1, eps=1e-8).where(directed, 0.0)
