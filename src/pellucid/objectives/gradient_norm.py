"""The length of input gradients."""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from pellucid.autograd import processes
from pellucid.norms import L1, L2
from pellucid.objectives.gradients import Units, factor
from pellucid.objectives.objective import Term
from pellucid.papers import NOACK, RODRIGUEZ, cites
from pellucid.probe import Probe, Quantity

Reduction = Literal["mean", "rms", "batch"]

Length = Literal["l2", "l1"]
"""Euclid's length, or the sum of absolute entries."""


@cites(
    NOACK,
    RODRIGUEZ,
    "Drucker and LeCun, Improving generalization performance using double backpropagation, IEEE Transactions "
    "on Neural Networks 3(6), 1992. doi 10.1109/72.165600",
)
@dataclass(frozen=True)
class GradientNorm(Term):
    """How long the images' gradients are.

    `of="label-logit"` with `reduction="batch"` is the magnitude term of Interpretation Regularization (Noack et al.
    2021), `of="loss"` that of double backpropagation (Drucker and LeCun 1992). Reductions:

    - `mean`: the mean of the images' lengths.
    - `rms`: the root of the mean of their squares.
    - `batch`: one length for the gradient of the whole batch's quantity (the sum of logits, the mean loss), as
      published. For logits it is the root of the batch size times `rms`, for the loss `rms` divided by that root: a
      weight tuned with it belongs to one batch size. In l1 it is the sum of the images' lengths for logits, and their
      mean for the loss.

    Absolute gradients have the same length, so where published code takes them first nothing changes.

    With `norm="l1"` a length is the sum of absolute entries, as in the gradient-norm regularization of
    Rodriguez-Munoz et al. (2024): eps times that of the loss is how much the loss rises, to first order, where every
    pixel moves by eps. `units` says what gradients are for: pixels from 0 to 1, or those that the network has
    normalized.
    """

    of: Quantity = "label-logit"
    reduction: Reduction = "rms"
    norm: Length = "l2"
    units: Units = "pixels"

    def __call__(self, probe: Probe) -> Float[Tensor, ""]:
        """The length, reduced over the global batch."""
        gradient = probe.gradient(self.of)
        if self.units == "network":
            gradient = factor(probe, self.units) * gradient
        length = reduced(gradient, self.reduction, self.norm)
        # each image's share of the mean loss is its own loss divided by the number of images
        return length / processes.images(gradient) if (self.of, self.reduction) == ("loss", "batch") else length


def reduced(vectors: Float[Tensor, "b ..."], reduction: Reduction, norm: Length = "l2") -> Float[Tensor, ""]:
    """The images' lengths, or one length for all of them, over the global batch."""
    if norm == "l1":
        return _of_sums(L1().size(vectors), reduction)
    if reduction == "mean":
        return processes.mean(L2().size(vectors))
    squares = vectors.flatten(1).square().sum(1)
    return root(processes.mean(squares) if reduction == "rms" else processes.total(squares))


def _of_sums(lengths: Float[Tensor, " b"], reduction: Reduction) -> Float[Tensor, ""]:
    if reduction == "rms":
        return root(processes.mean(lengths.square()))
    return processes.mean(lengths) if reduction == "mean" else processes.total(lengths)


def root(square: Float[Tensor, ""]) -> Float[Tensor, ""]:
    """The square root, whose gradient at zero is zero instead of infinite."""
    positive = square > 0
    return square.where(positive, 1.0).sqrt().where(positive, 0.0)
