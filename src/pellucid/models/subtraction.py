"""The mean that a network subtracts from images before it looks at them."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.errors import PellucidError
from pellucid.hooks import hooked
from pellucid.looking import look
from pellucid.models.input_layer import Normalize


def subtracted(model: nn.Module, like: Float[Tensor, "b c *shape"]) -> Float[Tensor, " c"] | None:
    """The pixel of which a network's normalization makes a zero, for images like these; none where it has none.

    Whoever wrote the normalization and wherever it stands, its first layer that is more than that shows it: what
    comes there of plain images is a multiple of each channel, plus a constant.
    """
    channels = like.shape[1]
    plain = like.detach().new_zeros(3, channels)
    plain[1] = 1
    plain[2] = torch.linspace(0.2, 0.7, channels)  # others in each channel, since layers may mix them
    found: list[Float[Tensor, " c"]] = []

    def see(module: nn.Module, inputs: tuple[object, ...]) -> None:
        if next(module.children(), None) is not None:
            return
        zero = _zero(inputs[0], plain) if inputs and isinstance(inputs[0], Tensor) else None
        if zero is None:
            raise _Seen
        found.append(zero)

    try:
        with hooked(model.modules(), see, before=True), torch.no_grad():
            look(model, plain.view(3, channels, *[1] * (like.dim() - 2)).expand(3, *like.shape[1:]).contiguous())
    except _Seen:
        pass
    except PellucidError:  # what refuses plain images may still have shown what it subtracts
        pass
    if not found or not bool(found[-1].abs().gt(_ROUNDING).any()):
        return None
    zero = found[-1].to(like)
    for module in model.modules():
        mean = module.mean if isinstance(module, Normalize) else None
        if mean is not None and mean.shape == zero.shape and torch.allclose(mean.to(zero), zero, atol=_ROUNDING):
            return mean.to(zero)  # to the bit
    return zero


class _Seen(PellucidError):
    """Enough has been seen; the rest of the network need not run. One of ours, so that it comes through."""


_ROUNDING = 1e-4  # of a pixel, whatever the precision


def _zero(seen: Tensor, plain: Float[Tensor, "3 c"]) -> Float[Tensor, " c"] | None:
    """The pixel that becomes 0, if what is seen is a multiple of plain images and a constant, in each channel."""
    if seen.dim() < 2 or seen.shape[:2] != plain.shape or not seen.is_floating_point():
        return None
    values = seen.detach().double().reshape(*plain.shape, -1)
    black, white, mixed = values.mean(2)
    factor = white - black
    rounding = 4 * torch.finfo(seen.dtype).eps * (1 + values.abs().amax((0, 2)))
    even = (values.amax(2) - values.amin(2) <= rounding).all()
    straight = ((black + factor * plain[2].double() - mixed).abs() <= rounding).all()
    if not (even and straight and bool((factor.abs() > rounding).all())):
        return None
    zero = -black / factor
    return zero if bool(((zero >= -_ROUNDING) & (zero <= 1 + _ROUNDING)).all()) else None
