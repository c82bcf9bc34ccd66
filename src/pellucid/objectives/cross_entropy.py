"""The cross-entropy of the labels."""

from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from pellucid.autograd import processes
from pellucid.errors import ConfigError
from pellucid.objectives.objective import Term
from pellucid.papers import cites
from pellucid.probe import Probe


@cites()
@dataclass(frozen=True)
class CrossEntropy(Term):
    """Mean cross-entropy; `label_smoothing` moves that share of each label's mass evenly onto all classes."""

    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise ConfigError(f"label_smoothing is {self.label_smoothing}; it is a share in [0, 1)")

    @property
    def second_order(self) -> bool:
        """Whether the term differentiates a gradient: it does not."""
        return False

    def __call__(self, probe: Probe) -> Float[Tensor, ""]:
        """The mean over images."""
        losses = F.cross_entropy(probe.logits, probe.y, reduction="none", label_smoothing=self.label_smoothing)
        return processes.mean(losses)
