"""Sums over an epoch, kept on the device so that no step waits for the host."""

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
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


class Tally:
    """Counts what the steps of one epoch came to, and notices the first loss that is no number."""

    def __init__(self, names: Sequence[str], device: torch.device) -> None:
        self.names = ("loss", *names)
        self.values = torch.zeros(len(self.names), dtype=torch.float64, device=device)
        self.weights = torch.zeros(len(names), dtype=torch.float64, device=device)
        self.sizes = torch.zeros_like(self.values)  # of the loss, then of each term times its weight
        self.correct = torch.zeros((), device=device)
        self.broken = torch.full((len(self.names),), -1, device=device)
        self.images = 0
        self.steps = 0

    def add(self, losses: Losses, y: Int[Tensor, " b"], images: int) -> None:
        """Take in one step over `images` images, of which this process saw its share."""
        values = torch.stack([losses.total, *losses.values.values()]).detach().double()
        self.steps += 1
        fresh = (self.broken < 0) & ~values.isfinite()
        self.broken = torch.where(fresh, self.steps, self.broken)
        self.values += images * values
        weights = [torch.as_tensor(weight, dtype=torch.float64) for weight in losses.weights.values()]
        weighing = torch.stack([weight.detach().to(self.weights.device) for weight in weights])
        self.weights += images * weighing
        self.sizes += images * torch.cat([values[:1], weighing * values[1:]]).abs()
        self.correct += (losses.logits.detach().argmax(1) == y).sum()
        self.images += images

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
