"""The level of consistency: how alike the classes are of two images that activate a neuron."""

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.metrics.neurons.reading import Reading
from pellucid.metrics.neurons.top_sets import TopSets


def level(
    shares: Float[Tensor, "*neurons classes"], similarity: Float[Tensor, "classes classes"]
) -> Float[Tensor, "*neurons"]:
    """The similarity of two classes that are drawn by these shares, on average: the published form, pᵀ A p."""
    return _product(shares.double(), shares.double(), similarity)


def levels(
    sets: TopSets, similarity: Float[Tensor, "classes classes"], weights: Float[Tensor, " classes"], how: Reading
) -> Float[Tensor, "*draws neurons"]:
    """The level of each neuron's images."""
    if how.estimator == "plain" or sets.count < 2:
        found = level(sets.shares(weights), similarity)
    else:
        same = torch.ones_like(similarity)
        found = _pairs(sets, similarity, weights) / _pairs(sets, same, weights)
    return found.clamp(0, 1).sqrt() if how.root else found.clamp(0, 1)


def _pairs(sets: TopSets, similarity: Tensor, weights: Tensor) -> Tensor:
    """The similarities of all ordered pairs of two different images, each pair by its chance to be chosen."""
    above, level = sets.above * weights, sets.level * weights
    left, among = sets.places
    # an image is like itself, and is no pair
    both = _product(above, above, similarity) - (sets.above * weights.square()).sum(-1)
    mixed = _product(above, level, similarity)
    neither = _product(level, level, similarity) - (sets.level * weights.square()).sum(-1)
    chosen = left * (left - 1) / (among * (among - 1)).clamp_min(1)
    return both + 2 * left / among * mixed + chosen * neither


def _product(these: Tensor, those: Tensor, similarity: Tensor) -> Tensor:
    return ((these @ similarity) * those).sum(-1)
