"""The size of the Jacobian from pixels to all logits."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.autograd import processes
from pellucid.errors import ConfigError
from pellucid.objectives.gradient_norm import root
from pellucid.objectives.objective import Term
from pellucid.papers import cites
from pellucid.probe import Probe


@cites(
    "Hoffman, Roberts and Yaida, Robust Learning with Jacobian Regularization, 2019. arXiv 1908.02729",
    "Jakubovitz and Giryes, Improving DNN Robustness to Adversarial Attacks using Jacobian Regularization, "
    "ECCV 2018. arXiv 1803.08680",
)
@dataclass(frozen=True)
class JacobianNorm(Term):
    """The Frobenius norm of the images' Jacobians, exact or estimated by random projections.

    With `projections=n`, each image's logits are projected on n random directions (Hoffman et al. 2019): n backward
    passes instead of one per class, and an unbiased estimate of the square. Reductions:

    - `square`: half the mean of the squared norms, as Hoffman et al. weigh it.
    - `rms`: the root of the mean of the squared norms.
    - `batch`: one norm over the whole batch, as Jakubovitz and Giryes (2018) do; it grows with the batch.
    """

    projections: int | Literal["all"] = 1
    reduction: Literal["square", "rms", "batch"] = "square"

    def __post_init__(self) -> None:
        if self.projections != "all" and self.projections < 1:
            raise ConfigError(f"projections is {self.projections}; it is a number from 1 on, or 'all'")

    def __call__(self, probe: Probe) -> Float[Tensor, ""]:
        """The norm, reduced over the global batch."""
        squares = self._squares(probe)
        if self.reduction == "square":
            return processes.mean(squares) / 2
        return root(processes.mean(squares) if self.reduction == "rms" else processes.total(squares))

    def _squares(self, probe: Probe) -> Float[Tensor, " b"]:
        logits = probe.logits
        count, classes = logits.shape
        if self.projections == "all":
            directions = torch.eye(classes, dtype=logits.dtype, device=logits.device)[:, None].expand(-1, count, -1)
            return probe.pullback(directions).square().flatten(2).sum((0, 2))
        noise = probe.noise.stream("jacobian-norm").normal(self.projections, classes, dtype=logits.dtype)
        directions = torch.nn.functional.normalize(noise, dim=2).transpose(0, 1)
        # a random unit direction catches a share 1 / classes of the square on average
        return probe.pullback(directions).square().flatten(2).sum((0, 2)) * (classes / self.projections)
