"""Layer-wise relevance propagation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.explainers.explainer import Classes, Explainer, Images, images_of, summed
from pellucid.explainers.explanation import Remark
from pellucid.explainers.propagation import COMPOSITES, Normalizing, Relevance, propagated
from pellucid.papers import BACH, cites
from pellucid.probe import Probe

_SAME = 1e-3  # of a map's largest value; less is not seen, and comes of what keeps denominators from zero


@cites(
    BACH,
    "Achtibat, Hatefi, Dreyer, Jain, Wiegand, Lapuschkin and Samek, AttnLRP: attention-aware layer-wise relevance "
    "propagation for transformers, 2024. arXiv 2402.05602",
)
@final
@dataclass(frozen=True)
class LRP(Explainer):
    """The logit, shared out layer by layer down to the pixels (Bach et al. 2015), through attention too.

    `composite` is the name of the layers' rules, `epsilon` keeps denominators from zero, and `gamma` says how much
    more the composites with gamma favor contributions of the output's sign. What is shared out is the logit, or one
    for every image: `start`. `batch_norm` is merged with the layer before it; published code leaves it out.
    """

    composite: str = "epsilon-plus"
    epsilon: float = 1e-6
    gamma: float = 0.25
    start: Literal["logit", "one"] = "logit"
    batch_norm: Normalizing = "merged"

    def __post_init__(self) -> None:
        COMPOSITES[self.composite]
        if not 0 < self.epsilon <= 1:
            raise ConfigError(f"LRP has epsilon={self.epsilon:g}; denominators need a number above 0, 1 at most")
        if not 0 <= self.gamma < math.inf:
            raise ConfigError(f"LRP has gamma={self.gamma:g}; give 0 or more")
        if self.start not in ("logit", "one"):
            raise ConfigError(f"LRP has start='{self.start}'; give 'logit' or 'one'")
        if self.batch_norm not in ("merged", "unchanged"):
            raise ConfigError(f"LRP has batch_norm='{self.batch_norm}'; give 'merged' or 'unchanged'")

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The relevance of pixels: one forward pass, and for each layer a few more of its own."""
        relevance = self._relevance()
        found = propagated(probe, of, relevance, self._weight)
        relevance.check()
        return found

    def remarks(self, probe: Probe, of: Classes, found: Images) -> Sequence[Remark]:
        """Whether the rules did anything: in networks where they do not, relevance is input times gradient."""
        plain = images_of(probe) * probe.gradient(of, detached=True)
        logit = probe.logits.detach().gather(1, of[:, None])
        # relevance of one is shared out as that of the logit is
        scale = 1 if self.start == "logit" else torch.where(logit == 0, 0, 1 / logit)
        plain, relevance = plain.detach().flatten(1) * scale, found.flatten(1)
        largest = relevance.abs().amax(1)
        same = ((relevance - plain).abs().amax(1) <= _SAME * largest) & (largest > 0)
        return [Remark("the map is input times gradient: no rule changed anything in this network", same)]

    def reads(self, probe: Probe, of: Classes) -> str:
        """Its composite, and by which rule how many layers share relevance out."""
        relevance = self._relevance()
        propagated(probe, of, relevance, self._weight)
        return f"the composite '{self.composite}': {relevance.words}"

    def _relevance(self) -> Relevance:
        return Relevance(COMPOSITES[self.composite](self.epsilon, self.gamma), self.epsilon, self.batch_norm)

    def reach(self, found: Images) -> Tensor:
        """The sum of its magnitudes."""
        return summed(found)

    def due(self, probe: Probe, of: Classes, rows: int) -> Tensor:
        """What is shared out: the logit, or one."""
        return self._weight(probe.logits.gather(1, of[:, None])[:, 0]).expand(len(of))

    def _weight(self, logits: Tensor) -> Tensor:
        return logits if self.start == "logit" else logits.new_ones(())
