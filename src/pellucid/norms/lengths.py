"""Rulers for perturbations: the largest change, Euclid's length, the root mean square, the sum and the number."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.randomness import Noise

Images = Float[Tensor, "b *shape"]
Lengths = float | Float[Tensor, " b"]

_SOME = 2.0**20  # times the smallest number


@dataclass(frozen=True)
class Linf:
    """The largest absolute change of any pixel."""

    registry: ClassVar[str] = "pellucid.norms:NORMS"

    def size(self, delta: Images) -> Float[Tensor, " b"]:
        """The largest absolute entry of each perturbation."""
        return torch.linalg.vector_norm(delta.flatten(1), torch.inf, dim=1)

    def project(self, delta: Images, eps: Lengths) -> Images:
        """The nearest perturbation in the ball: every entry clipped."""
        bound = _column(eps, delta)
        return delta.clamp(-bound, bound)

    def on_surface(self, delta: Images, eps: Lengths) -> Images:
        """Longer or shorter; zero, and what rounds to it, stays as it is."""
        return _at_length(delta, self.size(delta), eps)

    def steepest(self, gradient: Images) -> Images:
        """The sign of every entry."""
        return gradient.sign()

    def random(self, like: Images, eps: Lengths, noise: Noise) -> Images:
        """Every entry uniform in [-eps, eps]."""
        return _column(eps, like) * (2 * noise.uniform(*like.shape[1:], dtype=like.dtype) - 1)


@dataclass(frozen=True)
class L2:
    """Euclid's length over all pixels and channels."""

    registry: ClassVar[str] = "pellucid.norms:NORMS"

    def size(self, delta: Images) -> Float[Tensor, " b"]:
        """The root of the sum of squares."""
        return torch.linalg.vector_norm(delta.flatten(1), dim=1)

    def project(self, delta: Images, eps: Lengths) -> Images:
        """Shorten what is too long; leave the rest alone."""
        size, bound = _column(self.size(delta), delta), _column(eps, delta)
        return torch.where(size > bound, delta * (bound / size), delta)

    def on_surface(self, delta: Images, eps: Lengths) -> Images:
        """Longer or shorter; zero, and what rounds to it, stays as it is."""
        return _at_length(delta, self.size(delta), eps)

    def steepest(self, gradient: Images) -> Images:
        """The gradient at unit length; zero where it is zero."""
        largest = _column(Linf().size(gradient), gradient)
        # scaled by the largest entry first, or tiny gradients of saturated networks underflow to length 0
        scaled = torch.where(largest > 0, gradient / largest, gradient)
        size = _column(self.size(scaled), gradient)
        return torch.where(size > 0, scaled / size, scaled)

    def random(self, like: Images, eps: Lengths, noise: Noise) -> Images:
        """A normal direction, at a radius that makes the ball uniformly full."""
        pixels = like[0].numel() if len(like) else 1
        direction = self.steepest(noise.stream("direction").normal(*like.shape[1:], dtype=like.dtype))
        radius = noise.stream("radius").uniform(dtype=like.dtype) ** (1 / pixels)
        return direction * _column(radius, like) * _column(eps, like)


@dataclass(frozen=True)
class RMS:
    """The root of the mean square over all pixels and channels: L2 divided by the root of their number."""

    registry: ClassVar[str] = "pellucid.norms:NORMS"

    def size(self, delta: Images) -> Float[Tensor, " b"]:
        """The root of the mean of squares."""
        return L2().size(delta) / _root_pixels(delta)

    def project(self, delta: Images, eps: Lengths) -> Images:
        """Shorten what is too long; leave the rest alone."""
        return L2().project(delta, eps * _root_pixels(delta))

    def on_surface(self, delta: Images, eps: Lengths) -> Images:
        """Longer or shorter; zero, and what rounds to it, stays as it is."""
        return _at_length(delta, self.size(delta), eps)

    def steepest(self, gradient: Images) -> Images:
        """The gradient at unit root mean square; zero where it is zero."""
        return L2().steepest(gradient) * _root_pixels(gradient)

    def random(self, like: Images, eps: Lengths, noise: Noise) -> Images:
        """A perturbation drawn uniformly from the ball."""
        return L2().random(like, eps * _root_pixels(like), noise)


@dataclass(frozen=True)
class L1:
    """The sum of absolute changes."""

    registry: ClassVar[str] = "pellucid.norms:NORMS"

    def size(self, delta: Images) -> Float[Tensor, " b"]:
        """The sum of absolute entries."""
        return torch.linalg.vector_norm(delta.flatten(1), 1, dim=1)

    def project(self, delta: Images, eps: Lengths) -> Images:
        """Shrink every entry towards zero by the one amount that makes the sum fit (Duchi et al. 2008)."""
        magnitude = delta.flatten(1).abs()
        bound = _column(eps, magnitude)
        descending = magnitude.sort(dim=1, descending=True).values
        excess = descending.cumsum(1) - bound
        count = torch.arange(1, magnitude.shape[1] + 1, device=delta.device)
        kept = (descending * count > excess).sum(1, keepdim=True).clamp_min(1)
        shrink = (excess.gather(1, kept - 1) / kept).clamp_min(0)
        shrunk = delta.flatten(1).sign() * (magnitude - shrink).clamp_min(0)
        return torch.where(magnitude.sum(1, keepdim=True) > bound, shrunk, delta.flatten(1)).view_as(delta)

    def on_surface(self, delta: Images, eps: Lengths) -> Images:
        """Longer or shorter; zero, and what rounds to it, stays as it is."""
        return _at_length(delta, self.size(delta), eps)

    def steepest(self, gradient: Images) -> Images:
        """The whole unit on the entry with the largest gradient."""
        flat = gradient.flatten(1)
        largest = flat.abs().argmax(1, keepdim=True)
        step = torch.zeros_like(flat).scatter(1, largest, flat.gather(1, largest).sign())
        return step.view_as(gradient)

    def random(self, like: Images, eps: Lengths, noise: Noise) -> Images:
        """Exponential magnitudes scaled to the sphere, then to a radius that makes the ball uniformly full."""
        pixels = like[0].numel() if len(like) else 1
        shape, dtype = like.shape[1:], like.dtype
        magnitude = -torch.log1p(-noise.stream("magnitude").uniform(*shape, dtype=dtype))
        sign = 2 * noise.stream("sign").integers(2, *shape).to(dtype) - 1
        radius = noise.stream("radius").uniform(dtype=dtype) ** (1 / pixels)
        total = _column(self.size(magnitude), like).clamp_min(torch.finfo(dtype).tiny)
        return sign * magnitude / total * _column(radius, like) * _column(eps, like)


@dataclass(frozen=True)
class L0:
    """The number of entries that change, whatever by: no norm in the strict sense, for twice a change is as long."""

    registry: ClassVar[str] = "pellucid.norms:NORMS"

    def size(self, delta: Images) -> Float[Tensor, " b"]:
        """The number of entries other than zero."""
        return (delta.flatten(1) != 0).sum(1).to(delta.dtype)

    def project(self, delta: Images, eps: Lengths) -> Images:
        """Keep the largest entries, of equal ones the first; a fraction of an entry is none."""
        flat = delta.flatten(1)
        order = flat.abs().argsort(dim=1, descending=True, stable=True)
        rank = torch.arange(flat.shape[1], device=flat.device).expand_as(flat)
        kept = torch.zeros_like(flat, dtype=torch.bool).scatter(1, order, rank < _column(eps, flat).floor())
        return torch.where(kept, flat, 0).view_as(delta)

    def on_surface(self, delta: Images, eps: Lengths) -> Images:
        """The largest entries, since no stretching makes more of them."""
        return self.project(delta, eps)

    def steepest(self, gradient: Images) -> Images:
        """The change of one entry, that with the largest gradient, by the whole range of a pixel."""
        return L1().steepest(gradient)

    def random(self, like: Images, eps: Lengths, noise: Noise) -> Images:
        """Entries drawn without replacement, as many as fit, each changed by up to the range of a pixel."""
        change = 2 * noise.stream("change").uniform(*like.shape[1:], dtype=like.dtype) - 1
        chosen = self.project(noise.stream("place").uniform(*like.shape[1:], dtype=like.dtype) + 1, eps)
        return torch.where(chosen > 0, change, 0)


def _column(lengths: Lengths, like: Tensor) -> Tensor:
    """One number per image, shaped to multiply images."""
    lengths = torch.as_tensor(lengths, dtype=like.dtype, device=like.device)
    return lengths.expand(len(like)).view(-1, *[1] * (like.dim() - 1))


def _root_pixels(like: Tensor) -> float:
    return (like[0].numel() if len(like) else 1) ** 0.5


def _at_length(delta: Images, size: Float[Tensor, " b"], eps: Lengths) -> Images:
    # shorter ones have no direction to speak of, and their quotients would be infinite
    some = size > torch.finfo(size.dtype).tiny * _SOME
    return delta * _column(torch.where(some, eps / torch.where(some, size, 1.0), 1.0), delta)
