"""What is done to maps before a network's gradients are compared with them."""

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.randomness import Noise, derive

Maps = Float[Tensor, "n *shape"]

_CHUNK = 1024  # maps that are worked on at once, so that little more than the result is held


def thresholded(maps: Maps, threshold: float) -> Maps:
    """Each map with zeros where it lies within `threshold` of its standard deviations from its mean.

    Both tails are kept, since a reference may say where more of a pixel speaks against a class. The deviation is the
    unbiased one over all entries of a map.
    """
    entries = maps.flatten(1)
    mean, bound = entries.mean(1, keepdim=True), threshold * entries.std(1, keepdim=True)
    kept = (entries > mean + bound) | (entries < mean - bound)
    return entries.where(kept, 0).view_as(maps)


def permuted(maps: Maps, share: float, noise: Noise) -> Maps:
    """Each map with a `share` of its entries, at random places, shuffled among themselves."""
    entries = maps.flatten(1)
    draws = noise.stream("permute").uniform(entries.shape[1], dtype=torch.float64)
    places = draws.argsort(1)[:, : int(share * entries.shape[1])]
    # in the order drawn they are a random arrangement of the same places in rising order
    return entries.scatter(1, places.sort(1).values, entries.gather(1, places)).view_as(maps)


def treated(maps: Tensor, *, threshold: float, permute: float, seed: int) -> Float[Tensor, "n *shape"]:
    """Permuted, then thresholded, as float32; where there is nothing to do, the maps that were given."""
    if not (threshold or permute) and maps.dtype == torch.float32:
        return maps
    result = torch.empty(maps.shape, dtype=torch.float32)
    for rows in torch.arange(len(maps)).split(_CHUNK):
        some = maps[rows].float()
        if permute:
            some = permuted(some, permute, Noise(derive(seed, "reference"), rows))
        result[rows] = thresholded(some, threshold) if threshold else some
    return result


def check_treatment(threshold: float, permute: float, owner: str) -> None:
    """Refuse a threshold or a share that means nothing."""
    if not 0 <= threshold <= 100:
        raise ConfigError(f"{owner} has threshold={threshold:g}; give deviations from the mean, or 0 to keep it all")
    if not 0 <= permute <= 1:
        raise ConfigError(f"{owner} has permute={permute:g}; give the share of entries to shuffle, from 0 to 1")
