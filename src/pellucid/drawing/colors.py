"""The colors of maps: white is nothing, red speaks for the class, blue against it; purple has no sign.

The anchors are ColorBrewer's RdBu and Purples. The ends of the former differ for every common kind of color vision,
and the lightness of either falls evenly from white.
"""

import numpy
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

_AGAINST = ("#ffffff", "#d1e5f0", "#92c5de", "#4393c3", "#2166ac", "#053061")
_STRENGTH = ("#ffffff", "#dadaeb", "#bcbddc", "#9e9ac8", "#6a51a3", "#3f007d")
_UNKNOWN = 0xB8
_FOR = ("#ffffff", "#fddbc7", "#f4a582", "#d6604d", "#b2182b", "#67001f")


def colored(values: Float[Tensor, "h w"], *, signed: bool = True) -> UInt8[numpy.ndarray, "h w 3"]:
    """A color for each value in [-1, 1]; what lies beyond is taken for the end, and NaN is unknown: gray."""
    unknown = values.detach().isnan().cpu().numpy()
    values = values.detach().nan_to_num(0)
    above = _FOR if signed else _STRENGTH
    place = values.detach().double().clamp(-1, 1).abs().cpu().numpy() * (len(_FOR) - 1)
    stops = numpy.arange(len(_FOR))
    channels = [
        numpy.where(
            values.detach().cpu().numpy() < 0,
            numpy.interp(place, stops, _channel(_AGAINST, channel)),
            numpy.interp(place, stops, _channel(above, channel)),
        )
        for channel in range(3)
    ]
    found = numpy.stack(channels, -1).round().astype(numpy.uint8)
    found[unknown] = _UNKNOWN
    return found


def plane(map: Float[Tensor, "c h w"]) -> Float[Tensor, "h w"]:
    """One signed number for each pixel: the sum over channels, or that of one where all say the same."""
    return map[0] if bool((map == map[:1]).all()) else map.sum(0)


def scaled(values: Float[Tensor, "h w"], *, share: float = 0.995) -> tuple[Float[Tensor, "h w"], float]:
    """Values with the magnitude that `share` of them do not exceed as 1, and that magnitude.

    A few extreme pixels would otherwise leave all others white. A map of zeros stays as it is.
    """
    scale = float(torch.quantile(values.detach().abs().flatten().double(), share))
    scale = scale or float(values.detach().abs().max())
    return (values / scale, scale) if scale > 0 else (values, 0.0)


def _channel(anchors: tuple[str, ...], channel: int) -> list[int]:
    return [int(anchor[1 + 2 * channel : 3 + 2 * channel], 16) for anchor in anchors]
