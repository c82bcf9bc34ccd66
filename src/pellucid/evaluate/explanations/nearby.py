"""Maps of images with a little noise, beside the images' own."""

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.batch import Batch
from pellucid.errors import ConfigError
from pellucid.evaluate.explanations.case import Case
from pellucid.explainers.copies import fold, portions
from pellucid.explainers.room import full_pass
from pellucid.norms import Linf

Compare = Callable[[Case, int, Float[Tensor, "b *shape"], Float[Tensor, "b *shape"]], Float[Tensor, " b"]]
"""What a metric makes of some images, the number of a draw, their neighbors of that draw and the maps of those."""


def at_neighbors(case: Case, eps: float, draws: int, compare: Compare) -> Float[Tensor, "b draws"]:
    """What `compare` says of each draw; as many neighbors are explained together as fill a pass."""
    found = list[Tensor]()
    for part in case.parts(draws):
        values = list[Tensor]()
        for numbers in portions(draws, len(part), full_pass(case.x)):
            x = torch.cat([neighbor(part, eps, number) for number in numbers])
            maps = _copied(part, x, len(numbers)).explained(x)
            values += [
                compare(part, number, near, map_)
                for number, near, map_ in zip(numbers, fold(x, len(numbers)), fold(maps, len(numbers)), strict=True)
            ]
        found.append(torch.stack(values, 1))
    return torch.cat(found)


def neighbor(case: Case, eps: float, number: int) -> Float[Tensor, "b *shape"]:
    """Each image with noise that is uniform in [-eps, eps], clipped to [0, 1]; all metrics draw the same ones."""
    return (case.x + Linf().random(case.x, eps, case.noise.stream("neighbour", number))).clamp(0, 1)


def check_draws(owner: str, eps: float, draws: int) -> None:
    """Refuse noise that is none."""
    if not 0 < eps <= 1:
        raise ConfigError(f"{owner} has eps={eps:g}; give how far pixels may move, above 0 and at most 1")
    if draws < 1:
        raise ConfigError(f"{owner} has draws={draws}; it needs 1 or more")


def _copied(case: Case, x: Tensor, copies: int) -> Case:
    columns = {name: torch.cat([column] * copies) for name, column in case.batch.columns.items()}
    batch = Batch.trusted(x, case.batch.y.repeat(copies), {**columns, "index": case.batch.index.repeat(copies)})
    return replace(case, batch=batch, of=case.of.repeat(copies), maps=x.new_empty(len(x), 0))
