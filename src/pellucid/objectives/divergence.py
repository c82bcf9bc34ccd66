"""Answers that stay what they were under attack."""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from pellucid.autograd import processes
from pellucid.objectives.attacked import Attacked, divergence
from pellucid.objectives.objective import Term
from pellucid.papers import WANG, cites
from pellucid.probe import Probe


@cites(
    "Zhang, Yu, Jiao, Xing, El Ghaoui and Jordan, Theoretically Principled Trade-off between Robustness and "
    "Accuracy, ICML 2019. arXiv 1901.08573",
    WANG,
)
@dataclass(frozen=True)
class Divergence(Term):
    """The Kullback-Leibler divergence of the attacked images' answers from the clean ones', as a mean over images.

    Weighed `evenly` it is the regularizer of TRADES (Zhang et al. 2019); weighed as `misclassified`, each image by
    one less its label's clean probability, that of MART (Wang et al. 2020). Gradients flow through both answers, and
    through the weights.
    """

    place: Attacked
    weigh: Literal["evenly", "misclassified"] = "evenly"

    @property
    def second_order(self) -> bool:
        """Whether the term differentiates a gradient: it does not."""
        return False

    def __call__(self, probe: Probe) -> Float[Tensor, ""]:
        """The mean over images."""
        clean = probe.logits.log_softmax(1)
        apart = divergence(clean, self.place.probe(probe).logits)
        if self.weigh == "misclassified":
            apart = apart * -clean.gather(1, probe.y[:, None]).squeeze(1).expm1()
        return processes.mean(apart)
