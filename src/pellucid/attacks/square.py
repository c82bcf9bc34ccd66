"""Square (Andriushchenko et al. 2020): a random search that sees logits only."""

from bisect import bisect_left
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.attacks.attack import Attack, check_budget
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.search import iterate, where
from pellucid.attacks.victim import Images, Victim
from pellucid.errors import ConfigError, ShapeError
from pellucid.norms import L2, Linf
from pellucid.papers import cites
from pellucid.protocols import Norm
from pellucid.randomness import Noise

Pictures = Float[Tensor, "b channels height width"]

_HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)  # of 10,000 queries

# queries that are drawn for at once: so few numbers, drawn by themselves, took a tenth of a search on one small image
AHEAD = 64


@cites(
    "Andriushchenko, Croce, Flammarion and Hein, Square Attack: a query-efficient black-box adversarial "
    "attack via random search, ECCV 2020. arXiv 1912.00049"
)
@dataclass(frozen=True)
class Square(Attack):
    """Change a random square window of the best perturbation so far; keep the change if the margin grows.

    `share` is the first window's share of the image; it is halved nine times, when the paper halves it of 10,000
    queries. The start is the first query. Settings and schedule are AutoAttack's; windows and signs are each image's
    own, where AutoAttack puts the windows of a batch at one place and never at the last row or column. For L2 it
    starts from 5 by 5 bumps, as the paper says; AutoAttack has more of them on images of few pixels.
    """

    eps: float = 8 / 255
    norm: Norm = field(default_factory=Linf)
    goal: Goal = field(default_factory=Misclassified)
    queries: int = 5000
    share: float = 0.8

    def __post_init__(self) -> None:
        check_budget(self.eps, self.norm, "Square")
        if not isinstance(self.norm, Linf | L2):
            raise ConfigError(f"Square has norm={self.norm}; its windows are made for Linf and L2")
        if self.queries < 1:
            raise ConfigError(f"Square has queries={self.queries}; a search asks 1 time or more")
        if not 0 < self.share <= 1:
            raise ConfigError(f"Square has share={self.share:g}; a window takes a share of the image in (0, 1]")

    @property
    def budget(self) -> float:
        """The ball that it stays in."""
        return self.eps

    def search(self, victim: Victim) -> Images:
        """The point with the largest margin."""
        if victim.x.dim() != 4:
            shape = tuple(victim.x.shape[1:])
            raise ShapeError(f"Square needs images of (channels, height, width); these are {shape}")
        begin = striped if isinstance(self.norm, Linf) else tiled
        start = begin(victim.x, self.eps, victim.noise.stream("start"))
        state = _State(start, *self._asked(victim, start), self._luck(victim, 0))
        return iterate(victim, state, self._step, self.queries - 1)

    def _step(self, victim: Victim, state: "_State", number: int) -> "_State":
        luck = state.luck if number % AHEAD else self._luck(victim, number)
        change = recolored if isinstance(self.norm, Linf) else swapped
        share = shrunk(self.share, number / self.queries)
        new = change(victim.x, state.best, self.eps, share, Draws(luck[:, number % AHEAD]))
        margin, done = self._asked(victim, new)
        better = (margin > state.margin) & ~state.done
        best = where(better, new, state.best)
        return _State(best, torch.where(better, margin, state.margin), torch.where(better, done, state.done), luck)

    def _luck(self, victim: Victim, number: int) -> Float[Tensor, "b queries k"]:
        return Draws.ahead(victim.noise.stream("queries", number), victim.x.shape[1])

    def _asked(self, victim: Victim, x: Images) -> tuple[Float[Tensor, " b"], Bool[Tensor, " b"]]:
        logits = victim.logits(x)
        return self.goal.margin(logits, victim.y), self.goal.reached(logits, victim.y)


@dataclass(frozen=True)
class _State:
    best: Float[Tensor, "b *shape"]
    margin: Float[Tensor, " b"]
    done: Bool[Tensor, " b"]
    luck: Float[Tensor, "b queries k"]


def shrunk(share: float, progress: float) -> float:
    """The share of the image that a window takes, which is halved nine times on the way."""
    return share / 2 ** bisect_left(_HALVINGS, int(progress * 10_000))


@dataclass(frozen=True)
class Draws:
    """One query's numbers in [0, 1), a row per image: two places, a turn, and a sign for each channel."""

    numbers: Float[Tensor, "b k"]

    @staticmethod
    def ahead(noise: Noise, channels: int) -> Float[Tensor, "b queries k"]:
        """The numbers of the queries to come."""
        return noise.uniform(AHEAD, 5 + channels, dtype=torch.float64)

    @property
    def receiver(self) -> Float[Tensor, "b 2"]:
        """The top and left of the window that receives mass, as shares of where it may lie."""
        return self.numbers[:, :2]

    @property
    def giver(self) -> Float[Tensor, "b 2"]:
        """The top and left of the window that mass is taken from, as shares of where it may lie."""
        return self.numbers[:, 2:4]

    @property
    def turn(self) -> Int[Tensor, " b"]:
        """0 or 1, either as likely."""
        return (self.numbers[:, 4] * 2).long()

    def signs(self, dtype: torch.dtype) -> Float[Tensor, "b channels 1 1"]:
        """-1 or 1, either as likely."""
        return ((self.numbers[:, 5:] >= 0.5).to(dtype) * 2 - 1)[:, :, None, None]


def striped(x: Pictures, eps: float, noise: Noise) -> Pictures:
    """Vertical stripes, one pixel wide, of the two extreme values of the Linf ball."""
    return (x + eps * signs(noise, x.shape[1], 1, x.shape[3], dtype=x.dtype)).clamp(0, 1)


def tiled(x: Pictures, eps: float, noise: Noise) -> Pictures:
    """Bumps all over, `eps` long in L2."""
    return (x + L2().on_surface(mosaic(x, noise), eps)).clamp(0, 1)


def recolored(x: Pictures, best: Pictures, eps: float, share: float, luck: Draws) -> Pictures:
    """Each channel of the window takes one of the two extreme values of the Linf ball."""
    height, width = x.shape[2:]
    side = min(max(round((share * height * width) ** 0.5), 1), height, width)
    window = Windows.at(luck.receiver, side, height, width).mask
    extreme = x + eps * luck.signs(x.dtype)
    return torch.where(window, extreme, best).clamp(0, 1)


def swapped(x: Pictures, best: Pictures, eps: float, share: float, luck: Draws) -> Pictures:
    """Mass moves from one window to another, where it takes the shape of what was there plus a bump.

    With what clipping at the walls of the box had left unused, the perturbation is `eps` long again before it is
    clipped itself.
    """
    channels, height, width = x.shape[1:]
    odd = max(round((share * height * width) ** 0.5), 3) | 1
    side = min(odd, height, width)
    receiver = Windows.at(luck.receiver, side, height, width)
    giver = Windows.at(luck.giver, side, height, width).mask
    delta, window = best - x, receiver.mask
    unused = (eps**2 - delta.square().sum((1, 2, 3), keepdim=True)).clamp_min(0)
    mass = (delta * (window | giver)).square().sum((2, 3), keepdim=True) + unused / channels
    bump = receiver.filled(bumps(side, x), luck.turn) * luck.signs(x.dtype)
    mixed = _unit(delta * window) + bump
    # a bump may undo what was there; the mass must go somewhere
    mixed = torch.where(mixed.abs().amax((2, 3), keepdim=True) > 0, mixed, bump)
    moved = torch.where(window, _unit(mixed) * mass.sqrt(), delta.masked_fill(giver, 0))
    return (x + L2().on_surface(moved, eps)).clamp(0, 1)


def _unit(delta: Pictures) -> Pictures:
    """Every channel at Euclidean length 1, or zero."""
    size = delta.square().sum((2, 3), keepdim=True).sqrt()
    return delta / torch.where(size > 0, size, 1.0)


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
        """Whether each pixel lies inside the window, for each image."""
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
