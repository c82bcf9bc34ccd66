"""Which segments are shown: random bits that follow from the seed and the image alone."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool
from torch import Tensor

from pellucid.randomness import Noise

BLOCK = 1024
"""How many masks are drawn at a time; an even number."""

_BITS = 48  # that one whole number below 2**48 holds


def drawn(noise: Noise, block: int, counts: Sequence[int], *, antithetic: bool) -> Bool[Tensor, "b masks d"]:
    """A block of masks for each image, each segment shown with probability 1/2, and none beyond an image's count.

    The first mask of all shows the whole image. With `antithetic` every second one is the opposite of that before it,
    and so the second of all shows nothing.
    """
    most, device = max(counts), noise.index.device
    draws = BLOCK // 2 if antithetic else BLOCK
    # a stream for each word, so that it does not matter how many segments other images have
    words = [noise.stream("lime", block, word).integers(2**_BITS, draws) for word in range(-(-most // _BITS))]
    bits = (torch.stack(words, -1)[..., None] >> torch.arange(_BITS, device=device)) & 1
    masks = bits.flatten(2)[:, :, :most].bool()
    if antithetic:
        masks = torch.stack([masks, ~masks], 2).flatten(1, 2)
    if block == 0:
        masks[:, 0] = True
        masks[:, 1] &= not antithetic
    live = torch.arange(most, device=device) < torch.tensor(counts, device=device)[:, None]
    return masks & live[:, None]
