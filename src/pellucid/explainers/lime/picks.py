"""SP-LIME: a few images whose explanations between them use the features that matter."""

import warnings
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pellucid.data.split import Split, sequential
from pellucid.errors import ConfigError
from pellucid.explainers.lime.lime import Lime

_EQUAL = 1e-12  # gains that differ by less than this share of them differ by rounding


class DenseWeights(UserWarning):
    """Every explanation uses every feature, so that one covers all."""


@dataclass(frozen=True, eq=False)
class Picks:
    """Explanations that were picked, in order, and how much importance each added to what was covered.

    Where the gain is 0 nothing was left to cover, and any other would have done as well.
    """

    rows: Int[Tensor, " count"]
    gains: Float[Tensor, " count"]
    importance: Float[Tensor, " d"]


def submodular_pick(
    coefficients: Float[Tensor, "n d"], count: int, *, ties: Literal["last", "first"] = "last"
) -> Picks:
    """Explanations picked one by one, each for what it adds to the importance that is covered (Ribeiro et al. 2016).

    A feature's importance is √Σ|w| over all explanations, and it is covered once an explanation that uses it is
    picked. Of equal ones the `last` is picked, as in the package `lime`, or the `first`. Explanations must be sparse:
    of those that use every feature the first pick covers all.
    """
    if not 1 <= count <= len(coefficients):
        raise ConfigError(f"cannot pick {count} of {len(coefficients)} explanations; give 1 to {len(coefficients)}")
    if count > 1 and bool((coefficients != 0).all()):
        message = "every explanation uses every feature, so that all picks after the first are arbitrary"
        warnings.warn(f"{message}; explain with Lime(features=...)", DenseWeights, stacklevel=2)
    importance = coefficients.double().abs().sum(0).sqrt()
    used = (coefficients != 0).double() * importance
    gains = used.sum(1)
    picked, gained = list[int](), list[Tensor]()
    for _ in range(count):
        best = gains.max()
        equal = (gains >= best * (1 - _EQUAL)).nonzero().flatten()
        row = int(equal[-1 if ties == "last" else 0])
        picked.append(row)
        gained.append(best)
        # what it covers adds nothing any more
        used = used * (coefficients[row] == 0)
        gains = used.sum(1).index_fill(0, torch.tensor(picked, device=used.device), -1)
    return Picks(torch.tensor(picked, device=used.device), torch.stack(gained), importance)


def sp_lime(
    model: nn.Module,
    split: Split,
    count: int,
    lime: Lime,
    of: str | int = "predicted",
    *,
    ties: Literal["last", "first"] = "last",
    seed: int = 0,
    memory: int | None = None,
) -> Picks:
    """The images of a split whose explanations cover most, by their place in it.

    Features must be the same ones in every image: with a segmentation that is `shared`, such as `Grid`.
    """
    if not lime.segmentation.shared:
        name = type(lime.segmentation).__name__
        raise ConfigError(f"segments by {name} are others in every image; use one that they share, such as Grid")
    coefficients = [
        lime.local(model, batch, of, seed=seed, memory=memory).coefficients[:, 0]
        for batch in split.batches(sequential(split, 64))
    ]
    return submodular_pick(torch.cat(coefficients), count, ties=ties)
