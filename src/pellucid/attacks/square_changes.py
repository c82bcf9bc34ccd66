"""The perturbations that Square tries: where it begins, and what it changes in a window, for Linf and for L2."""

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attacks.search import column
from pellucid.attacks.square_draws import Draws
from pellucid.attacks.square_windows import Windows, bumps, mosaic, signs
from pellucid.norms import L2
from pellucid.randomness import Noise

Images = Float[Tensor, "b channels height width"]


def striped(x: Images, eps: float, noise: Noise) -> Images:
    """Vertical stripes, one pixel wide, of the two extreme values of the Linf ball."""
    return (x + eps * signs(noise, x.shape[1], 1, x.shape[3], dtype=x.dtype)).clamp(0, 1)


def tiled(x: Images, eps: float, noise: Noise) -> Images:
    """Bumps all over, `eps` long in L2."""
    return (x + _of_length(mosaic(x, noise), eps)).clamp(0, 1)


def recolored(x: Images, best: Images, eps: float, share: float, luck: Draws) -> Images:
    """Each channel of the window takes one of the two extreme values of the Linf ball."""
    height, width = x.shape[2:]
    side = min(max(round((share * height * width) ** 0.5), 1), height, width)
    window = Windows.at(luck.receiver, side, height, width).mask
    extreme = x + eps * luck.signs(x.dtype)
    return torch.where(window, extreme, best).clamp(0, 1)


def swapped(x: Images, best: Images, eps: float, share: float, luck: Draws) -> Images:
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
    return (x + _of_length(moved, eps)).clamp(0, 1)


def _unit(delta: Images) -> Images:
    """Every channel at Euclidean length 1, or zero."""
    size = delta.square().sum((2, 3), keepdim=True).sqrt()
    return delta / torch.where(size > 0, size, 1.0)


def _of_length(delta: Images, eps: float) -> Images:
    """The perturbations at Euclidean length `eps`."""
    size = L2().size(delta)
    return delta * column(eps / torch.where(size > 0, size, 1.0), delta)
