"""What a search for the nearest point carries: where it is, and the shortest way to the goal that it has met."""

from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.attacks.search import where
from pellucid.attacks.victim import Images
from pellucid.protocols import Norm

T = TypeVar("T", bound="Shortest")


@dataclass(frozen=True)
class Shortest:
    """A perturbation, and the shortest one met that reaches the goal: of infinite length until one does.

    Searches derive states of their own from it. No image is ever done, since a nearer point may come.
    """

    delta: Float[Tensor, "b *shape"]
    nearest: Float[Tensor, "b *shape"]
    length: Float[Tensor, " b"]
    done: Bool[Tensor, " b"]

    @property
    def best(self) -> Float[Tensor, "b *shape"]:
        """The shortest; the latest where none was met."""
        return where(self.length.isinf(), self.delta, self.nearest)


def started(x: Images) -> Shortest:
    """At the images themselves, with nothing met."""
    zero, never = torch.zeros_like(x), x.new_full((len(x),), torch.inf)
    return Shortest(zero, zero, never, never.isnan())


def looked(state: T, met: Bool[Tensor, " b"], norm: Norm) -> T:
    """The state after a look at its perturbation, which reaches the goal where `met`."""
    size = norm.size(state.delta)
    shorter = met & (size < state.length)
    return replace(
        state,
        nearest=where(shorter, state.delta, state.nearest),
        length=torch.where(shorter, size, state.length),
    )
