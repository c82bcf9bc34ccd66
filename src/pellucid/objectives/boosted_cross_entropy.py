"""The cross-entropy of MART, which also pushes the strongest wrong class down."""

import math
from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from pellucid.autograd import processes
from pellucid.objectives.objective import Term
from pellucid.papers import WANG, cites
from pellucid.probe import Probe


@cites(WANG)
@dataclass(frozen=True)
class BoostedCrossEntropy(Term):
    """Cross-entropy plus the margin term -log(1 - p of the likeliest wrong class) (Wang et al. 2020)."""

    @property
    def second_order(self) -> bool:
        """Whether the term differentiates a gradient: it does not."""
        return False

    def __call__(self, probe: Probe) -> Float[Tensor, ""]:
        """The mean over images."""
        logits, y = probe.logits, probe.y
        rival = logits.scatter(1, y[:, None], -math.inf).argmax(1, keepdim=True)
        # 1 - p is the share of all other classes: as a difference of logarithms it never rounds to zero
        margin = logits.logsumexp(1) - logits.scatter(1, rival, -math.inf).logsumexp(1)
        return processes.mean(F.cross_entropy(logits, y, reduction="none") + margin)
