"""The nearest change of an image that is short in L1 and keeps its pixels in [0, 1] (Croce and Hein 2021).

The ball first and the box afterwards end at another point, farther from what was asked for.
"""

import torch
from jaxtyping import Float


def project_boxed(
    x: Float[torch.Tensor, "b *shape"], delta: Float[torch.Tensor, "b *shape"], eps: float
) -> Float[torch.Tensor, "b *shape"]:
    """The change nearest to `delta` with an L1 length of at most `eps` and x + change in [0, 1].

    Each entry gives up the same amount and then stops at its wall; the length that is left falls piece by piece
    linearly with that amount, so that a sort finds it.
    """
    size = delta.flatten(1).abs()
    room = torch.where(delta > 0, 1 - x, x).flatten(1).clamp_min(0)
    # an entry is at its wall until the amount is size - room, and gone from size on
    leaves, ends = (size - room).clamp_min(0), size
    corners, order = torch.cat([leaves, ends], 1).sort(1)
    slope = torch.cat([torch.ones_like(leaves), -torch.ones_like(ends)], 1).gather(1, order).cumsum(1)
    whole = torch.minimum(size, room).sum(1, keepdim=True)
    fallen = torch.cat([torch.zeros_like(whole), (slope[:, :-1] * corners.diff(dim=1)).cumsum(1)], 1)
    excess = whole - eps
    last = (torch.searchsorted(fallen, excess) - 1).clamp(0, fallen.shape[1] - 1)
    beyond = (excess - fallen.gather(1, last)) / slope.gather(1, last).clamp_min(1)
    amount = torch.where(excess > 0, corners.gather(1, last) + beyond, 0.0)
    return (delta.flatten(1).sign() * torch.minimum((size - amount).clamp_min(0), room)).view_as(delta)
