"""Searching step by step, on those images only whose goal is not yet reached."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from pellucid.attacks.victim import Victim


@runtime_checkable
class State(Protocol):
    """What a search carries from step to step: a frozen dataclass of tensors with a row per image."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def best(self) -> Float[Tensor, "b *shape"]:
        """The images that the search would return now; perturbations, where no image is ever done."""
        ...

    @property
    def done(self) -> Bool[Tensor, " b"]:
        """Which images need no further step."""
        ...


S = TypeVar("S", bound=State)


def iterate(victim: Victim, state: S, step: Callable[[Victim, S, int], S], steps: int) -> Float[Tensor, "b *shape"]:
    """The best points after some steps. Images that are done leave the batch and cost nothing more."""
    found = state.best.clone()
    places = torch.arange(len(found), device=found.device)
    # asking an accelerator makes it wait for its queue to empty, so it is asked now and then
    stride = 1 if found.device.type == "cpu" else 8
    for number in range(steps):
        if number % stride == 0:
            if not victim.exact:
                state = _confirmed(victim, state)
            standing = (~state.done).nonzero().squeeze(1)
            if len(standing) < len(places):
                found[places] = state.best
                places, state, victim = places[standing], select(state, standing), victim.take(standing)
            if not len(places):
                break
        state = step(victim, state, number)
    found[places] = state.best
    return found


def _confirmed(victim: Victim, state: S) -> S:
    """A search in low precision may take an image for fallen that is not: those go on."""
    claimed = state.done.nonzero().squeeze(1)
    if not len(claimed):
        return state
    some = victim.take(claimed)
    fallen = victim.goal.reached(some.decision(state.best[claimed]), some.y)
    return replace(state, done=state.done.index_copy(0, claimed, fallen))


def select(state: S, rows: Int[Tensor, " k"]) -> S:
    """The rows of some images."""
    return replace(state, **{field.name: getattr(state, field.name)[rows] for field in fields(state)})


def where(chosen: Bool[Tensor, " b"], this: Tensor, other: Tensor) -> Tensor:
    """Image by image, one or the other."""
    return torch.where(column(chosen, this), this, other)


def column(values: Shaped[Tensor, " b"], like: Tensor) -> Shaped[Tensor, "b ..."]:
    """A value per image, shaped to go with images."""
    return values.view(-1, *[1] * (like.dim() - 1))
