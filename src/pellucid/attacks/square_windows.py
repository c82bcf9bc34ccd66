"""Square windows at a place of its own in each image, and the bumps that Square puts into them for L2."""

from bisect import bisect_left
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.randomness import Noise

_HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)  # of 10,000 queries


def shrunk(share: float, progress: float) -> float:
    """The share of the image that a window takes, which is halved nine times on the way."""
    return share / 2 ** bisect_left(_HALVINGS, int(progress * 10_000))


@dataclass(frozen=True)
class Windows:
    """One window of `side` by `side` pixels per image; `height` and `width` are the images'."""

    top: Int[Tensor, " b"]
    left: Int[Tensor, " b"]
    side: int
    height: int
    width: int

    @classmethod
    def at(cls, place: Float[Tensor, "b 2"], side: int, height: int, width: int) -> "Windows":
        """At shares of the way down and across, so that they may lie anywhere, the last row and column included."""
        down, across = place.unbind(1)
        top, left = (down * (height - side + 1)).long(), (across * (width - side + 1)).long()
        return cls(top, left, side, height, width)

    @property
    def mask(self) -> Bool[Tensor, "b 1 h w"]:
        """Which pixels lie inside."""
        inside = [(offset >= 0) & (offset < self.side) for offset in self._offsets]
        return (inside[0][:, :, None] & inside[1][:, None, :])[:, None]

    def filled(self, tiles: Float[Tensor, "n side side"], chosen: Int[Tensor, " b"]) -> Float[Tensor, "b 1 h w"]:
        """Images that are zero but for one of the tiles in the window."""
        rows, columns = (offset.clamp(0, self.side - 1) for offset in self._offsets)
        return tiles[chosen[:, None, None], rows[:, :, None], columns[:, None, :]][:, None] * self.mask

    @property
    def _offsets(self) -> tuple[Int[Tensor, "b h"], Int[Tensor, "b w"]]:
        rows = torch.arange(self.height, device=self.top.device) - self.top[:, None]
        columns = torch.arange(self.width, device=self.left.device) - self.left[:, None]
        return rows, columns


def signs(noise: Noise, *shape: int, dtype: torch.dtype) -> Float[Tensor, "b ..."]:
    """-1 or 1, either as likely."""
    return 2 * noise.stream("sign").integers(2, *shape).to(dtype) - 1


def bumps(side: int, like: Tensor) -> Float[Tensor, "2 side side"]:
    """A hill above a valley, of Euclidean length 1, and the same turned to lie side by side."""
    pair = torch.cat((_hill(side // 2, side), -_hill(side - side // 2, side)))
    pair = (pair / pair.norm()).to(like)
    return torch.stack((pair, pair.T))


def mosaic(images: Float[Tensor, "b c h w"], noise: Noise) -> Float[Tensor, "b c h w"]:
    """Bumps of a fifth of the image's shorter side, 5 by 5 of them in its middle, each turned and signed at random.

    The paper's number, also where more bumps would fit. Windows come to the edge of a small image least often, and
    what the start puts there is put to use late: on digits of 8 by 8 pixels, bumps all over left half a point more
    standing. The authors' code has 7 by 7 there, and fails on 14 by 14.
    """
    _, channels, height, width = images.shape
    shorter = min(height, width)
    side = max(shorter // 5, 1)
    rows, columns = (min(5 * length // shorter, length // side) for length in (height, width))
    upright, turned = (bump.repeat(rows, columns) for bump in bumps(side, images))
    coins = noise.stream("turn").integers(2, 1, rows, columns).bool()
    tiles = torch.where(_spread(coins, side), turned, upright)
    tiles = tiles * _spread(signs(noise, channels, rows, columns, dtype=images.dtype), side)
    above, before = (height - rows * side) // 2, (width - columns * side) // 2
    return F.pad(tiles, (before, width - columns * side - before, above, height - rows * side - above))


def _hill(height: int, width: int) -> Float[Tensor, "height width"]:
    """Squares around the center, laid on one another; each is lower than the one it encloses. Of length 1."""
    rows = (torch.arange(height) - height // 2).abs()
    columns = (torch.arange(width) - width // 2).abs()
    ring = torch.maximum(rows[:, None], columns[None, :])
    layer = 1 / torch.arange(1, max(height, width) // 2 + 2, dtype=torch.float64) ** 2
    hill = layer.flip(0).cumsum(0).flip(0)[ring]
    return hill / hill.norm()


def _spread(values: Tensor, side: int) -> Tensor:
    return values.repeat_interleave(side, 2).repeat_interleave(side, 3)
