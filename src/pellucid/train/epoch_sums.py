"""Sums over an epoch, kept on the device so that no step waits for the host."""

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.autograd import processes
from pellucid.errors import Diverged
from pellucid.objectives import Losses, Objective, Ramp


@dataclass(frozen=True)
class Figures:
    """What an epoch came to, as means over its images.

    `shares` are what each term, times its weight, added to the loss, both without their signs; empty where it was 0.
    """

    loss: float
    terms: Mapping[str, float]
    weights: Mapping[str, float]
    accuracy: float
    shares: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class EpochSums:
    """What the steps of one epoch came to so far, and in which step each loss first was no number."""

    names: tuple[str, ...]  # the loss, then its terms
    values: Float[Tensor, " losses"]
    weights: Float[Tensor, " terms"]
    sizes: Float[Tensor, " losses"]  # of the loss, then of each term times its weight
    correct: Float[Tensor, ""]
    broken: Int[Tensor, " losses"]
    images: int = 0
    steps: int = 0

    @classmethod
    def none(cls, terms: Sequence[str], device: torch.device) -> "EpochSums":
        """The sums over no step."""
        zeros = torch.zeros(1 + len(terms), dtype=torch.float64, device=device)
        broken = torch.full((1 + len(terms),), -1, device=device)
        return cls(("loss", *terms), zeros, zeros[1:], zeros, torch.zeros((), device=device), broken)

    def plus(self, losses: Losses, y: Int[Tensor, " b"], images: int) -> "EpochSums":
        """The sums with one step more over `images` images, of which this process saw its share."""
        values = torch.stack([losses.total, *losses.values.values()]).detach().double()
        fresh = (self.broken < 0) & ~values.isfinite()
        weights = [torch.as_tensor(weight, dtype=torch.float64) for weight in losses.weights.values()]
        weighing = torch.stack([weight.detach().to(self.weights.device) for weight in weights])
        return EpochSums(
            self.names,
            self.values + images * values,
            self.weights + images * weighing,
            self.sizes + images * torch.cat([values[:1], weighing * values[1:]]).abs(),
            self.correct + (losses.logits.detach().argmax(1) == y).sum(),
            torch.where(fresh, self.steps + 1, self.broken),
            self.images + images,
            self.steps + 1,
        )

    def check(self, epoch: int) -> None:
        """Stop where a loss has become NaN or infinite."""
        steps = dict(zip(self.names, self.broken.tolist(), strict=True))
        broken = {name: step for name, step in steps.items() if step > 0}
        if not broken:
            return
        first = min(broken.values())
        culprits = [name for name, step in broken.items() if step == first and name != "loss"] or ["the weighted sum"]
        raise Diverged(
            f"{' and '.join(culprits)} became NaN or infinite in epoch {epoch}, step {first}; "
            "lower optimizer.lr or the weight of that term, or set clip to bound the gradient"
        )

    def figures(self) -> Figures:
        """The means over the images so far."""
        loss, *values = (self.values / self.images).tolist()
        weights = (self.weights / self.images).tolist()
        whole, *sizes = self.sizes.tolist()
        names = self.names[1:]
        correct = processes.total(self.correct[None])
        return Figures(
            loss=loss,
            terms=dict(zip(names, values, strict=True)),
            weights=dict(zip(names, weights, strict=True)),
            accuracy=float(correct) / self.images,
            shares={name: size / whole for name, size in zip(names, sizes, strict=True)} if whole else {},
        )


LEAST = 1e-4
"""The share of the loss over the first epoch below which a term is called negligible."""


def negligible(objective: Objective, figures: Figures) -> dict[str, float]:
    """The share of the loss that each term added whose share was below `LEAST`.

    A term whose weight is 0 only measures, and one whose weight ramps up from 0 has its time still to come.
    """
    return {
        name: figures.shares[name]
        for name, part in zip(objective.names, objective.terms, strict=True)
        if name in figures.shares and figures.shares[name] < LEAST and not _on_purpose(part.weight)
    }


def warn(shares: Mapping[str, float], told: Collection[str]) -> None:
    """One warning for each negligible term, except for those of which more has been told already."""
    for name, share in shares.items():
        if name not in told:
            warnings.warn(_sentence(name, share), stacklevel=3)


def _on_purpose(weight: object) -> bool:
    return weight == 0 or (isinstance(weight, Ramp) and weight.start == 0)


def _sentence(name: str, share: float) -> str:
    if share == 0:
        return (
            f"the term {name} was 0 over the whole first epoch, whatever its weight; change its settings or drop it"
        )
    return f"the term {name} added {share:.1e} of the loss over the first epoch; raise its weight or drop it"
