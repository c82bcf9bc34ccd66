"""How far a batch of answers moves under attack, all in all: the nuclear norm of what changes."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.autograd import processes
from pellucid.objectives.attacked import Attacked
from pellucid.objectives.objective import Term
from pellucid.papers import cites
from pellucid.probe import Probe


@cites("Sriramanan, Addepalli, Baburaj and Babu, Towards Efficient and Effective Adversarial Training, NeurIPS 2021.")
@dataclass(frozen=True)
class NuclearNorm(Term):
    """The nuclear norm of the change of a batch's logits under attack, divided by the number of images.

    The regularizer of NuAT (Sriramanan et al. 2021). The norm is the sum of the singular values of the matrix with a
    row for each image: it grows by changes in many directions more than by as many in one. Over B images the quotient
    is about the root of B times smaller than for one, so a weight belongs to one batch size. Gradients flow through
    both answers.
    """

    place: Attacked

    @property
    def second_order(self) -> bool:
        """Whether the term differentiates a gradient: it does not."""
        return False

    def __call__(self, probe: Probe) -> Float[Tensor, ""]:
        """The norm over the global batch, for each image of it."""
        change = self.place.probe(probe).logits - probe.logits
        # the norm is the sum of the rows' products with those of the polar factor, which is also its slope
        row = change.detach() @ _inverse_root(processes.added(change.detach().mT @ change.detach()))
        return processes.mean((change * row).sum(1))


def _inverse_root(square: Float[Tensor, "c c"]) -> Float[Tensor, "c c"]:
    """The inverse of a matrix's root, on the directions in which it has any length."""
    values, vectors = torch.linalg.eigh(square)
    some = values > len(values) * torch.finfo(values.dtype).eps * values[-1]
    roots = torch.where(some, values, 1.0).rsqrt().where(some, 0.0)
    return vectors * roots @ vectors.mT
