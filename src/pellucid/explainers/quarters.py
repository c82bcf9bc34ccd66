"""Whether the places of what a layer puts out are those of the image: a quarter of it is changed, and looked for."""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.probe import Probe
from pellucid.randomness import Noise

BASES = 4
"""Images at which quarters are changed."""

# Half the logarithm by which the squared change on the quarter's own side exceeds that on the other, along either
# axis; it must be twice as large as where one axis is crossed with the other, too. Over networks of several kinds and
# seeds, layers of places had 0.6 to 2. Of attention and channels-last tensors one axis had less than 0.3, or the
# crossed axes had more.
_FOLLOWS = 0.3
_PART = 1e-6  # of the largest change; less counts as none
_UNTOUCHED = 1e-10  # of the largest squared change; less is rounding


def follows(changes: Float[Tensor, "4 h w"]) -> bool:
    """Whether what a quarter changes most, beside what it and what each place changes anyhow, lies in that quarter.

    The logarithm of the change at places of one quarter, when another changes, is taken for a sum: how strong the
    change is, how easily the places change, and whether the two lie on the same side, along each axis.
    """
    high, wide = changes.shape[1:]
    if not changes.any() or not changes.isfinite().all():
        return False
    at = torch.einsum("qhw,ah,bw->qab", changes, _halves(high, changes), _halves(wide, changes)).flatten(1)
    logs = (at + _PART * at.amax()).log()
    down, across = torch.tensor([[-1.0, -1, 1, 1], [-1, 1, -1, 1]]).to(logs)

    def along(image: Tensor, layer: Tensor) -> float:
        return float((image[:, None] * logs * layer).mean())

    own = [along(side, side) for side, count in ((down, high), (across, wide)) if count > 1]
    crossed = max(abs(along(down, across)), abs(along(across, down)))
    return all(effect > max(_FOLLOWS, 2 * crossed) for effect in own)


def _halves(side: int, like: Tensor) -> Float[Tensor, "2 side"]:
    """The mean over each half of a side; a place in the middle belongs to both."""
    place = (torch.arange(side, device=like.device) + 0.5) / side
    halves = torch.stack([place <= 0.5, place >= 0.5]).to(like)
    return halves / halves.sum(1, keepdim=True)


def bases(probe: Probe, count: int) -> Tensor:
    """Images of chance, coarse and fine; the same whatever is explained, since a layer is a map or it is not."""
    _, channels, high, wide = probe.x.shape
    noise = Noise(0, torch.arange(count)).stream("places")
    coarse = noise.stream("coarse").uniform(channels, 4, 4, dtype=torch.float64)
    fine = noise.stream("fine").uniform(channels, high, wide, dtype=torch.float64)
    return ((F.interpolate(coarse, (high, wide)) + fine) / 2).to(probe.x)


def with_a_quarter_changed(x: Tensor) -> Iterator[Tensor]:
    """Copies in which the pixels of one quarter lie half the range away, from the upper left on, row by row."""
    high, wide = x.shape[2:]
    for rows in (slice(0, (high + 1) // 2), slice(high // 2, high)):
        for columns in (slice(0, (wide + 1) // 2), slice(wide // 2, wide)):
            copy = x.clone()
            copy[..., rows, columns] = (copy[..., rows, columns] + 0.5) % 1
            yield copy


def touched(changes: Float[Tensor, "4 t"]) -> Int[Tensor, " n"]:
    """The tokens that a change of the image reaches; class tokens and registers hang on no pixel at first."""
    moved = changes.amax(0)
    return (moved > _UNTOUCHED * moved.amax()).nonzero()[:, 0]


def grids(count: int, x: Float[Tensor, "b c h w"]) -> Iterator[tuple[int, int]]:
    """Ways to lay so many tokens out in rows, those first that are most like the images."""
    ratio = x.shape[2] / x.shape[3]
    pairs = [(high, count // high) for high in range(2, count // 2 + 1) if count % high == 0]
    yield from sorted(pairs, key=lambda pair: abs(math.log(pair[0] / pair[1] / ratio)))
